using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A bidirectional encoder: what each token means in its text.</summary>
/// <remarks>
/// Devlin et al., 2019, https://arxiv.org/abs/1810.04805. Parameter names and layouts are those of the published checkpoints,
/// without the prefix <c>bert.</c> that they have inside the models with a head.
/// </remarks>
public sealed class Bert : Module<Tensor, Tensor>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertPooler? pooler;

    /// <param name="config">The shape.</param>
    /// <param name="withPooler">Whether it can pool; the heads that read every token go without.</param>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Bert(BertConfig config, bool withPooler = true) : base(nameof(Bert))
    {
        Config = config.Validated();
        embeddings = new BertEmbeddings(config);
        encoder = new BertEncoder(config);
        pooler = withPooler ? new BertPooler(config) : null;
        RegisterComponents();
    }

    /// <summary>The shape of the model.</summary>
    public BertConfig Config { get; }

    /// <inheritdoc cref="Gpt.RecomputesBlocks"/>
    public bool RecomputesBlocks
    {
        get => encoder.RecomputesBlocks;
        set => encoder.RecomputesBlocks = value;
    }

    /// <summary>What each token means: the residual stream after the last layer.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens) => Features(tokens);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding, which no token sees; null for none.</param>
    /// <param name="tokenTypes">int64 [batch, time], such as 0 in the first text and 1 in the second; null for 0.</param>
    public Tensor Features(Tensor tokens, Tensor? attentionMask = null, Tensor? tokenTypes = null)
    {
        Require.Tokens(tokens, Config.ContextLength, attentionMask);
        if (tokenTypes is not null && (tokenTypes.dtype != ScalarType.Int64 || !tokenTypes.shape.SequenceEqual(tokens.shape)))
            throw new ArgumentException($"The token types are {tokenTypes.dtype} {tokenTypes.ShapeText()}; expected Int64 "
                + $"{tokens.ShapeText()}.", nameof(tokenTypes));
        using var scope = NewDisposeScope();
        var x = embeddings.Embed(tokens, tokenTypes);
        return encoder.Encode(x, AttentionMask.OfTokens(attentionMask)).MoveToOuterDisposeScope();
    }

    /// <summary>What the whole text means, by its first token: tanh(W x + b).</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, channels].</returns>
    /// <exception cref="InvalidOperationException">It was made without a pooler.</exception>
    public Tensor Pool(Tensor features) =>
        pooler is null ? throw new InvalidOperationException("This Bert was made without a pooler.") : pooler.call(features);

    /// <summary>The table of token embeddings.</summary>
    internal EmbeddingTable TokenTable => embeddings.Table;

    /// <summary>Whether it can pool.</summary>
    internal bool HasPooler => pooler is not null;
}

/// <summary>tanh(W x + b) of the first token.</summary>
internal sealed class BertPooler : Module<Tensor, Tensor>
{
    private readonly Dense dense;

    public BertPooler(BertConfig config) : base(nameof(BertPooler))
    {
        dense = Initialization.Dense(config.ModelWidth, config.ModelWidth);
        RegisterComponents();
    }

    public override Tensor forward(Tensor features)
    {
        using var scope = NewDisposeScope();
        return dense.call(features[.., 0]).tanh().MoveToOuterDisposeScope();
    }
}
