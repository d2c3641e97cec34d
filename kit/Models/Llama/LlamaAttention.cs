using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Causal self-attention with rotary positions; each key head serves a group of query heads.</summary>
/// <remarks>Ainslie et al., 2023, https://arxiv.org/abs/2305.13245.</remarks>
internal sealed class LlamaAttention : Module
{
    private readonly Dense q_proj, k_proj, v_proj, o_proj;
    private readonly HookPoint hook_q = new(), hook_z = new();       // [batch, head, time, d_head]
    private readonly HookPoint hook_k = new(), hook_v = new();       // [batch, key head, time, d_head]
    private readonly HookPoint hook_attn_scores = new(), hook_pattern = new();   // [batch, head, query, key]
    private readonly int heads, keyValueHeads, layer;

    public LlamaAttention(LlamaConfig config, int layer) : base(nameof(LlamaAttention))
    {
        heads = config.HeadsOf(layer);
        keyValueHeads = config.KeyValueHeadsOf(layer);
        this.layer = layer;
        var wide = heads * config.WidthOfHead;
        var narrow = keyValueHeads * config.WidthOfHead;
        q_proj = Initialization.Dense(config.ModelWidth, wide, bias: false);
        k_proj = Initialization.Dense(config.ModelWidth, narrow, bias: false);
        v_proj = Initialization.Dense(config.ModelWidth, narrow, bias: false);
        o_proj = Initialization.Dense(wide, config.ModelWidth, bias: false);
        RegisterComponents();
    }

    /// <param name="x">Residual stream, normalised, [batch, time, channels].</param>
    /// <param name="pass">Mask, rotary positions and cache.</param>
    /// <returns>Output of the attention branch, [batch, time, channels].</returns>
    public Tensor Attend(Tensor x, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        if (pass.IsOneToken && IsUnwatched)
        {
            var found = pass.Cache!.Attend(layer, q_proj.call(x), k_proj.call(x), v_proj.call(x),
                (heads, keyValueHeads), pass.Rotation);
            return o_proj.call(found).MoveToOuterDisposeScope();
        }
        var query = hook_q.Pass(pass.Rotation!.Turn(q_proj.call(x).SplitHeads(heads)));         // [batch, head, time, d_head]
        var key = hook_k.Pass(pass.Rotation!.Turn(k_proj.call(x).SplitHeads(keyValueHeads)));   // [batch, key head, time, d_head]
        var value = hook_v.Pass(v_proj.call(x).SplitHeads(keyValueHeads));
        if (pass.Cache is { } cache) (key, value) = cache.Extend(layer, key, value);
        else if (pass.Earlier is { } earlier) (key, value) = earlier.Extend(layer, key, value);
        var mixed = ScaledDotProductAttention.Attend(query, key, value, pass.Mask, hook_pattern, scores: hook_attn_scores);
        return o_proj.call(hook_z.Pass(mixed).MergeHeads()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc cref="ILayeredDecoder.ReadHeads"/>
    public (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(Tensor x, DecoderPass pass) =>
        (pass.Rotation!.Turn(q_proj.call(x).SplitHeads(heads)), pass.Rotation!.Turn(k_proj.call(x).SplitHeads(keyValueHeads)),
            v_proj.call(x).SplitHeads(keyValueHeads));

    /// <summary>The query projection's weight; null while it is neither packed nor quantized.</summary>
    public PackedMatrix? FirstWeight => ((IQuantizableLayer)q_proj).Packed;

    /// <summary>Its products for steps of one token; null where one is computed otherwise.</summary>
    public (IReadOnlyList<StepProduct> Projections, StepProduct Output)? Step() =>
        q_proj.Step() is { } query && k_proj.Step() is { } key && v_proj.Step() is { } value && o_proj.Step() is { } output
            ? ([query, key, value], output) : null;

    private bool IsUnwatched => !(hook_q.IsWatched || hook_k.IsWatched || hook_v.IsWatched || hook_z.IsWatched
        || hook_attn_scores.IsWatched || hook_pattern.IsWatched);
}
