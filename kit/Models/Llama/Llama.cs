using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// Llama, a decoder-only transformer with RMS norms, rotary positions, gated MLPs and grouped-query attention.
/// </summary>
/// <remarks>
/// Touvron et al., 2023, https://arxiv.org/abs/2302.13971. Parameter names and layouts are those of the published checkpoints of
/// <c>transformers</c>.
/// </remarks>
public sealed class Llama : Module<Tensor, Tensor>, ILanguageModel, ILayeredDecoder
{
    private readonly LlamaDecoder model;
    private readonly Dense? lm_head;   // null if the output layer shares the embeddings' weight
    private readonly TokenStep step;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public Llama(LlamaConfig config) : base(nameof(Llama))
    {
        Config = config.Validated();
        model = new LlamaDecoder(config);
        lm_head = config.TieEmbeddings ? null : Initialization.Dense(config.ModelWidth, config.VocabularySize, bias: false);
        step = new TokenStep(this, () => model.FirstWeight, () => model.Plan(config, lm_head));
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public LlamaConfig Config { get; }

    /// <inheritdoc cref="Gpt.RecomputesBlocks"/>
    public bool RecomputesBlocks
    {
        get => model.RecomputesBlocks;
        set => model.RecomputesBlocks = value;
    }

    int ILanguageModel.VocabularySize => Config.VocabularySize;

    int ILanguageModel.ContextLength => Config.ContextLength;

    Module ILanguageModel.Network => this;

    /// <summary>Returns the logits of the next token at each position.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens) => Logits(tokens);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="attentionMask">
    /// [batch, time], 0 = padding, which no token attends to, but which counts for positions. Null for none.
    /// </param>
    public Tensor Logits(Tensor tokens, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        return Head(Features(tokens, attentionMask)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the normalised residual stream after the last layer: the model without its head.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding; null for none.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Features(Tensor tokens, Tensor? attentionMask = null)
    {
        Require.Tokens(tokens, Config.ContextLength, attentionMask);
        return model.Read(tokens, DecoderPass.Whole(attentionMask));
    }

    /// <summary>
    /// Computes logits from the normalised residual stream that <see cref="Features"/> returns; applies no norm.
    /// </summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features) => lm_head is null ? model.Unembed(features) : lm_head.call(features);

    Tensor ILanguageModel.LogitsFrom(Tensor tokens, int start)
    {
        using var scope = NewDisposeScope();
        return Head(Features(tokens)[.., start..]).MoveToOuterDisposeScope();
    }

    int ILayeredDecoder.LayerCount => Config.Layers;

    Tensor ILayeredDecoder.Begin(Tensor tokens)
    {
        Require.Tokens(tokens, Config.ContextLength);
        return model.Embed(tokens);
    }

    DecoderPass ILayeredDecoder.PassFrom(int start, long time, Tensor stream, EarlierTokens? earlier) =>
        model.PassFrom(start, time, stream, earlier);

    Tensor ILayeredDecoder.RunLayer(int layer, Tensor stream, DecoderPass pass) => model.RunLayer(layer, stream, pass);

    (Tensor Queries, Tensor Keys, Tensor Values) ILayeredDecoder.ReadHeads(int layer, Tensor stream, DecoderPass pass) =>
        model.ReadHeads(layer, stream, pass);

    Tensor ILayeredDecoder.Finish(Tensor stream) => Head(model.Normalize(stream));

    /// <inheritdoc/>
    public Tensor NextLogits(Tensor tokens, KeyValueCache cache, Tensor? attentionMask = null)
    {
        Require.Tokens(tokens, Config.ContextLength, attentionMask, cache.Length);
        using var scope = NewDisposeScope();
        if (step.Next(tokens, cache, attentionMask, out var isLogits) is { } made)
        {
            cache.Advance(1);
            return (isLogits ? made : Head(made)).MoveToOuterDisposeScope();
        }
        var features = model.Read(tokens, DecoderPass.After(tokens.shape[1], cache, attentionMask));
        cache.Advance(tokens.shape[1]);
        return Head(features[.., ^1]).MoveToOuterDisposeScope();
    }
}
