using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// Attention with unscaled scores to which a relative position bias is added, one number for each bucket of
/// distances.
/// </summary>
internal sealed class T5Attention : Module
{
    private readonly Dense q, k, v, o;
    private readonly EmbeddingTable? relative_attention_bias;   // [buckets, head], in the first layer
    private readonly HookPoint hook_q = new(), hook_k = new(), hook_v = new(), hook_z = new();   // [batch, head, time, d_head]
    private readonly HookPoint hook_attn_scores = new(), hook_pattern = new();   // [batch, head, query, key]
    private readonly T5Config config;
    private readonly int layer, heads;
    private readonly bool bidirectional;

    public T5Attention(T5Config config, int layer, int heads, bool hasPositions, bool bidirectional = false)
        : base(nameof(T5Attention))
    {
        this.config = config;
        this.layer = layer;
        this.heads = heads;
        this.bidirectional = bidirectional;
        var width = config.ModelWidth;
        var inner = heads * config.HeadWidth;
        // The queries are initialized smaller, to make up for the missing division of the scores.
        q = Initialization.Dense(width, inner, bias: false, Math.Pow(width * config.HeadWidth, -0.5));
        k = Initialization.Dense(width, inner, bias: false, Math.Pow(width, -0.5));
        v = Initialization.Dense(width, inner, bias: false, Math.Pow(width, -0.5));
        o = Initialization.Dense(inner, width, bias: false, Math.Pow(inner, -0.5));
        relative_attention_bias = hasPositions
            ? new EmbeddingTable(config.RelativeBuckets, heads, deviation: Math.Pow(width, -0.5)) : null;
        RegisterComponents();
    }

    /// <summary>Returns the relative position bias that is added to the scores: [1, head, query, key].</summary>
    public Tensor ScoreBias(long queries, long keys)
    {
        using var scope = NewDisposeScope();
        var table = relative_attention_bias!.weight;
        var distances = RelativePositions.Distances(queries, keys, table.device);
        var buckets = RelativePositions.Buckets(distances, config.RelativeBuckets, config.RelativeMaximumDistance, bidirectional);
        return relative_attention_bias.call(buckets).permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <param name="pass">Masks, encoder output and cache.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Attend(Tensor x, T5Pass pass)
    {
        using var scope = NewDisposeScope();
        var (key, value) = Read(x);
        if (pass.Cache is { } cache) (key, value) = cache.Extend(layer, key, value);
        return Mix(x, key, value, pass.Mask).MoveToOuterDisposeScope();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <param name="pass">Masks, encoder output and cache.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor AttendToSource(Tensor x, T5Pass pass)
    {
        using var scope = NewDisposeScope();
        // A view of the encoder output, so that gradients of keys and values are summed within this layer first,
        // whether it is recomputed or not.
        var (key, value) = pass.Cache is { } cache ? cache.Source(layer, () => Read(pass.Memory!))
            : Read(pass.Memory!.view_as(pass.Memory));
        return Mix(x, key, value, pass.MemoryMask!).MoveToOuterDisposeScope();
    }

    private (Tensor Keys, Tensor Values) Read(Tensor x) =>
        (hook_k.Pass(k.call(x).SplitHeads(heads)), hook_v.Pass(v.call(x).SplitHeads(heads)));

    private Tensor Mix(Tensor x, Tensor key, Tensor value, AttentionMask mask)
    {
        var query = hook_q.Pass(q.call(x).SplitHeads(heads));   // [batch, head, time, d_head]
        var mixed = ScaledDotProductAttention.Attend(query, key, value, mask, hook_pattern,
            training ? config.Dropout : 0, scale: 1, hook_attn_scores);
        return o.call(hook_z.Pass(mixed).MergeHeads());
    }
}
