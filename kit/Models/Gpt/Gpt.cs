using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>GPT-2, a decoder-only transformer language model.</summary>
/// <remarks>
/// Radford et al., 2019. Parameter names and layouts are those of the published checkpoints; the output layer
/// shares its weight with the token embedding, unless the configuration unties them.
/// </remarks>
public sealed class Gpt : Module<Tensor, Tensor>, ILanguageModel, ILayeredDecoder
{
    private readonly EmbeddingTable wte;
    private readonly PositionalEncoding wpe;
    private readonly Dropout drop;
    private readonly ModuleList<GptBlock> h;
    private readonly LayerNormalization? ln_f;   // null without norms
    private readonly Dense? lm_head;   // null if the output layer shares the weight of wte
    private readonly TokenStep step;
    private readonly HookPoint hook_embed = new(), hook_pos_embed = new();   // [batch, time, channels]

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public Gpt(GptConfig config) : base(nameof(Gpt))
    {
        Config = config.Validated();
        wte = new EmbeddingTable(config.VocabularySize, config.ModelWidth) { Unembeds = config.TieEmbeddings };
        wpe = PositionalEncoding.Create(config.Positions, config.ContextLength, config.ModelWidth, config.Heads, deviation: 0.02,
            headWidth: config.WidthOfHead);
        drop = Dropout(config.Dropout);
        h = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new GptBlock(config, layer, wpe))]);
        ln_f = GptBlock.Norm(config);
        lm_head = config.TieEmbeddings ? null : Initialization.Dense(config.ModelWidth, config.VocabularySize, bias: false);
        step = new TokenStep(this, () => h[0].FirstWeight, Plan);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public GptConfig Config { get; }

    /// <summary>
    /// Whether blocks recompute their intermediate activations in the backward pass instead of keeping them
    /// (activation checkpointing); see <see cref="Recompute"/>.
    /// </summary>
    public bool RecomputesBlocks { get; set; }

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
        using var scope = NewDisposeScope();
        return Read(tokens, DecoderPass.Whole(attentionMask)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Computes logits from the normalised residual stream that <see cref="Features"/> returns; applies no norm.
    /// </summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features)
    {
        if (Config.Variations is { LogitScale: 1, LogitSoftCap: null }) return Output(features);
        using var scope = NewDisposeScope();
        var logits = Output(Config.Variations.LogitScale == 1 ? features : features * Config.Variations.LogitScale);
        if (Config.Variations.LogitSoftCap is { } cap) logits = cap * Activation.Tanh.Apply(logits / cap);
        return logits.MoveToOuterDisposeScope();
    }

    private Tensor Output(Tensor features) => lm_head is null ? wte.Unembed(features) : lm_head.call(features);

    Tensor ILanguageModel.LogitsFrom(Tensor tokens, int start)
    {
        using var scope = NewDisposeScope();
        return Head(Features(tokens)[.., start..]).MoveToOuterDisposeScope();
    }

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
        var features = Read(tokens, DecoderPass.After(tokens.shape[1], cache, attentionMask));
        cache.Advance(tokens.shape[1]);
        return Head(features[.., ^1]).MoveToOuterDisposeScope();
    }

    int ILayeredDecoder.LayerCount => h.Count;

    Tensor ILayeredDecoder.Begin(Tensor tokens)
    {
        Require.Tokens(tokens, Config.ContextLength);
        return drop.call(Embed(tokens, DecoderPass.Plain));
    }

    DecoderPass ILayeredDecoder.PassFrom(int start, long time, Tensor stream, EarlierTokens? earlier) =>
        DecoderPass.Plain with { Start = start, Earlier = earlier };

    Tensor ILayeredDecoder.RunLayer(int layer, Tensor stream, DecoderPass pass) => h[layer].call(stream, pass);

    (Tensor Queries, Tensor Keys, Tensor Values) ILayeredDecoder.ReadHeads(int layer, Tensor stream, DecoderPass pass) =>
        h[layer].ReadHeads(stream, pass);

    Tensor ILayeredDecoder.Finish(Tensor stream) => Head(ln_f is null ? stream : ln_f.call(stream));

    private Tensor Read(Tensor tokens, DecoderPass pass)
    {
        using var offset = TokenOffset.Begin(pass.Cache?.Length);
        var x = drop.call(Embed(tokens, pass));   // [batch, time, channels]
        pass = pass with { Recomputes = RecomputesBlocks };
        if (Config.Variations.MixesFirstValues) pass = pass with { FirstValues = h[0].Values(x) };
        foreach (var block in h) x = block.call(x, pass);
        return ln_f is null ? x : ln_f.call(x);
    }

    /// <summary>What a step of one token computes; null for variations that it does not know.</summary>
    private StepPlan? Plan()
    {
        var layers = h.Select((block, layer) => Config.ScoreScale(layer) is null ? block.Step() : null)
            .OfType<StepLayer>().ToList();
        if (layers.Count < h.Count || ln_f is null || wpe is not LearnedPositions positions || wte.Rows() is not { } tokens
            || Config.Variations is { NormalizesQueriesAndKeys: true } or { MixesFirstValues: true } or not { ResidualScale: 1 })
            return null;
        var isPlain = Config.Variations is { LogitScale: 1, LogitSoftCap: null };
        return new StepPlan(tokens, positions.Rows(), null, layers, ln_f.Step(),
            !isPlain ? null : lm_head is null ? wte.Step() : lm_head.Step(), Config.Activation, Config.WidthOfHead);
    }

    private Tensor Embed(Tensor tokens, DecoderPass pass)
    {
        var x = hook_embed.Pass(wte.call(tokens));
        return hook_pos_embed.IsWatched ? x + hook_pos_embed.call(pass.Embed(wpe, zeros_like(x))) : pass.Embed(wpe, x);
    }
}
