using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// One layer: x ← x + attention(norm(x)); x ← x + mlp(norm(x)); without the norms or without the MLP if the configuration says
/// so.
/// </summary>
public sealed class GptBlock : Module<Tensor, Tensor>, IBlock<DecoderPass>
{
    private readonly LayerNormalization? ln_1;   // null without norms
    private readonly CausalSelfAttention attn;
    private readonly LayerNormalization? ln_2;   // null without norms or MLP
    private readonly GptMlp? mlp;                // null in an attention-only model
    // [batch, time, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    // [batch, time, channels]
    private readonly HookPoint hook_attn_in = new(), hook_attn_out = new();   // before the norm; after the output layer
    private readonly HookPoint? hook_mlp_in, hook_mlp_out;                    // null in an attention-only model
    private readonly double residualScale;

    internal GptBlock(GptConfig config, int layer, PositionalEncoding positions) : base(nameof(GptBlock))
    {
        residualScale = config.Variations.ResidualScale;
        ln_1 = Norm(config);
        attn = new CausalSelfAttention(config, layer, positions);
        if (!config.AttentionOnly)
        {
            ln_2 = Norm(config);
            mlp = new GptMlp(config, layer);
            hook_mlp_in = new HookPoint();
            hook_mlp_out = new HookPoint();
        }
        RegisterComponents();
    }

    /// <summary>Returns a norm of the model, or null if it has none.</summary>
    internal static LayerNormalization? Norm(GptConfig config) =>
        config.Norms ? new LayerNormalization(config.ModelWidth, config.NormEpsilon) : null;

    /// <param name="x">Residual stream, [batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x) => forward(x, DecoderPass.Plain);

    /// <summary>Without padding and cache by <c>call</c>, which runs the hooks on this block.</summary>
    Tensor IBlock<DecoderPass>.Step(Tensor x, DecoderPass pass) => pass.IsPlain ? call(x) : forward(x, pass);

    /// <summary>Values of the attention for a residual stream, [batch, head, time, d_head].</summary>
    internal Tensor Values(Tensor x)
    {
        using var scope = NewDisposeScope();
        return attn.Values(Normalized(ln_1, x)).MoveToOuterDisposeScope();
    }

    private Tensor forward(Tensor x, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.Pass(x);
        x = hook_resid_mid.Pass(x + Scaled(hook_attn_out.Pass(attn.Attend(Normalized(ln_1, hook_attn_in.Pass(x)), pass))));
        if (mlp is not null) x += Scaled(hook_mlp_out!.Pass(mlp.call(Normalized(ln_2, hook_mlp_in!.Pass(x)))));
        return hook_resid_post.Pass(x).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ILayeredDecoder.ReadHeads"/>
    internal (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(Tensor x, DecoderPass pass) =>
        attn.ReadHeads(Normalized(ln_1, x), pass);

    /// <summary>The query, key and value projection's weight; null while it is neither packed nor quantized.</summary>
    internal PackedMatrix? FirstWeight => attn.FirstWeight;

    /// <summary>The layer for steps of one token; null where a product of it is computed otherwise.</summary>
    internal StepLayer? Step() => ln_1 is not null && ln_2 is not null && mlp?.Step() is var (inner, outer)
        && attn.Step() is var (projection, output)
            ? new StepLayer(ln_1.Step(), [projection], output, ln_2.Step(), inner, null, outer, attn.Heads, attn.Heads) : null;

    private static Tensor Normalized(LayerNormalization? norm, Tensor x) => norm is null ? x : norm.call(x);

    private Tensor Scaled(Tensor branch) => residualScale == 1 ? branch : branch * residualScale;
}

/// <summary>Causal self-attention: each position attends to itself and earlier ones.</summary>
/// <remarks>Vaswani et al., 2017, §3.2, https://arxiv.org/abs/1706.03762.</remarks>
public sealed class CausalSelfAttention : Module<Tensor, Tensor>
{
    private readonly Conv1D c_attn;   // query, key, value
    private readonly Conv1D c_proj;
    private readonly Dropout resid_dropout;
    private readonly HookPoint hook_q = new(), hook_k = new(), hook_v = new(), hook_z = new();   // [batch, head, time, d_head]
    private readonly HookPoint hook_attn_scores = new(), hook_pattern = new();   // [batch, head, query, key]
    // in an array so that it is not registered: the model owns this module
    private readonly PositionalEncoding[] positions;
    private readonly GptConfig config;
    private readonly int layer, heads;
    private readonly double? scale;
    private readonly Parameter? value_mix;   // [1], share of the first layer's values; null if they are not mixed in

    internal CausalSelfAttention(GptConfig config, int layer, PositionalEncoding positions) : base(nameof(CausalSelfAttention))
    {
        this.config = config;
        this.layer = layer;
        this.positions = [positions];
        scale = config.ScoreScale(layer);
        heads = config.HeadsOf(layer);
        var width = heads * config.WidthOfHead;
        c_attn = new Conv1D(config.ModelWidth, 3 * width);
        c_proj = new Conv1D(width, config.ModelWidth, GptMlp.BranchDeviation(config));
        resid_dropout = Dropout(config.Dropout);
        value_mix = config.Variations.MixesFirstValues && layer > 0 ? Parameter(full(1, 0.5)) : null;
        RegisterComponents();
    }

    /// <summary>Channels of the residual stream.</summary>
    internal int Width => config.ModelWidth;

    /// <summary>Attention heads.</summary>
    internal int Heads => heads;

    /// <inheritdoc cref="GptBlock.FirstWeight"/>
    internal PackedMatrix? FirstWeight => ((IQuantizableLayer)c_attn).Packed;

    /// <summary>Its products for steps of one token; null where one is computed otherwise.</summary>
    internal (StepProduct Projection, StepProduct Output)? Step() =>
        c_attn.Step() is { } projection && c_proj.Step() is { } output ? (projection, output) : null;

    /// <summary>Values alone, [batch, head, time, d_head].</summary>
    internal Tensor Values(Tensor x) =>
        c_attn.Part(x, 2L * heads * config.WidthOfHead, heads * config.WidthOfHead).SplitHeads(heads);

    /// <param name="x">Residual stream, normalised, [batch, time, channels].</param>
    /// <returns>Output of the attention branch, [batch, time, channels].</returns>
    public override Tensor forward(Tensor x) => Attend(x, DecoderPass.Plain);

    internal Tensor Attend(Tensor x, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        var joined = c_attn.call(x);
        if (pass.IsOneToken && IsUnwatched && scale is null && positions[0].IsEmbeddingOnly
            && !config.Variations.NormalizesQueriesAndKeys && value_mix is null)
            return c_proj.call(pass.Cache!.AttendJoined(layer, joined, heads)).MoveToOuterDisposeScope();
        var qkv = joined.chunk(3, -1);                                                            // 3 · [batch, time, channels]
        var query = hook_q.Pass(pass.Rotate(positions[0], qkv[0].SplitHeads(heads)));   // [batch, head, time, d_head]
        var key = hook_k.Pass(pass.Rotate(positions[0], qkv[1].SplitHeads(heads)));
        if (config.Variations.NormalizesQueriesAndKeys)
        {
            query = RmsNorm.Unweighted(query);
            key = RmsNorm.Unweighted(key);
        }
        var value = hook_v.Pass(qkv[2].SplitHeads(heads));
        if (value_mix is not null) value = value + (value_mix * (pass.FirstValues! - value));
        if (pass.Cache is { } cache) (key, value) = cache.Extend(layer, key, value);
        else if (pass.Earlier is { } earlier) (key, value) = earlier.Extend(layer, key, value);

        var mask = pass.Mask with { ScoreBias = positions[0].ScoreBias(query, query.shape[2], key.shape[2]) };
        var mixed = ScaledDotProductAttention.Attend(query, key, value, mask, hook_pattern, training ? config.Dropout : 0, scale,
            hook_attn_scores);
        return resid_dropout.call(c_proj.call(hook_z.Pass(mixed).MergeHeads())).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ILayeredDecoder.ReadHeads"/>
    internal (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(Tensor x, DecoderPass pass)
    {
        var qkv = c_attn.call(x).chunk(3, -1);
        return (pass.Rotate(positions[0], qkv[0].SplitHeads(config.Heads)),
            pass.Rotate(positions[0], qkv[1].SplitHeads(config.Heads)), qkv[2].SplitHeads(config.Heads));
    }

    private bool IsUnwatched => !training
        && !(hook_q.IsWatched || hook_k.IsWatched || hook_v.IsWatched || hook_z.IsWatched || hook_attn_scores.IsWatched
            || hook_pattern.IsWatched);
}

/// <summary>MLP: two linear layers with a non-linearity in between, applied at every position.</summary>
public sealed class GptMlp : Module<Tensor, Tensor>
{
    private readonly Conv1D c_fc;
    private readonly Conv1D c_proj;
    private readonly Dropout dropout;
    private readonly HookPoint hook_pre = new(), hook_post = new();   // [batch, time, feed-forward channels]
    private readonly Activation activation;

    internal GptMlp(GptConfig config, int layer) : base(nameof(GptMlp))
    {
        activation = config.Activation;
        var width = config.FeedForwardWidthOf(layer);
        c_fc = new Conv1D(config.ModelWidth, width);
        c_proj = new Conv1D(width, config.ModelWidth, BranchDeviation(config));
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    /// <summary>
    /// Returns the initial standard deviation of the branches' output layers, which GPT-2 scales down by depth so
    /// that the residual stream keeps its size.
    /// </summary>
    internal static double BranchDeviation(GptConfig config) => config.Variations.ZeroInitializedProjections ? 0
        : 0.02 / Math.Sqrt(2 * config.Layers);

    /// <inheritdoc cref="CausalSelfAttention.Step"/>
    internal (StepProduct Inner, StepProduct Outer)? Step() =>
        c_fc.Step() is { } inner && c_proj.Step() is { } outer ? (inner, outer) : null;

    /// <summary>Whether the non-linearity is a ReLU, which positive factors pass through.</summary>
    internal bool IsRelu => activation == Activation.Relu;

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = hook_post.Pass(activation.Apply(hook_pre.Pass(c_fc.call(x))));
        return (training ? dropout.call(c_proj.call(inner)) : c_proj.call(inner)).MoveToOuterDisposeScope();
    }
}
