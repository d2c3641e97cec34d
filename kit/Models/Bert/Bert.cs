using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// BERT, a bidirectional transformer encoder: computes a contextual representation of each token.
/// </summary>
/// <remarks>
/// Devlin et al., 2019, https://arxiv.org/abs/1810.04805. Parameter names and layouts are those of the published checkpoints,
/// without the prefix <c>bert.</c> that they have inside the models with a head.
/// </remarks>
public sealed class Bert : Module<Tensor, Tensor>
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly BertPooler? pooler;

    /// <param name="config">Configuration of the model.</param>
    /// <param name="withPooler">
    /// Whether the model has a pooler; models with a head for every token do not need it.
    /// </param>
    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public Bert(BertConfig config, bool withPooler = true) : base(nameof(Bert))
    {
        Config = config.Validated();
        embeddings = new BertEmbeddings(config);
        encoder = new BertEncoder(config);
        pooler = withPooler ? new BertPooler(config) : null;
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public BertConfig Config { get; }

    /// <inheritdoc cref="Gpt.RecomputesBlocks"/>
    public bool RecomputesBlocks
    {
        get => encoder.RecomputesBlocks;
        set => encoder.RecomputesBlocks = value;
    }

    /// <summary>Returns the representation of each token: the residual stream after the last layer.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens) => Features(tokens);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding, which no token attends to; null for none.</param>
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

    /// <summary>Returns a representation of the whole text, computed from its first token: tanh(W x + b).</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, channels].</returns>
    /// <exception cref="InvalidOperationException">The model was created without a pooler.</exception>
    public Tensor Pool(Tensor features) =>
        pooler is null ? throw new InvalidOperationException("This Bert was created without a pooler; "
            + "set withPooler to true.") : pooler.call(features);

    /// <summary>The table of token embeddings.</summary>
    internal EmbeddingTable TokenTable => embeddings.Table;

    /// <summary>Whether the model has a pooler.</summary>
    internal bool HasPooler => pooler is not null;
}

/// <summary>Pooler: tanh(W x + b) of the first token.</summary>
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
