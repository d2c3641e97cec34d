using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>softmax(Q Kᵀ / √d + bias) V.</summary>
/// <remarks>
/// Vaswani et al., 2017, §3.2.1, https://arxiv.org/abs/1706.03762. Computed by libtorch's fused kernel, which never makes the
/// pattern (the softmax), until somebody watches the hook point it goes through: then that layer, and only it, is computed step by
/// step.
/// </remarks>
public static class ScaledDotProductAttention
{
    /// <summary>For each query the mean of the values, weighted by how well their keys match it.</summary>
    /// <param name="query">[batch, head, query, d_head].</param>
    /// <param name="key">[batch, head, key, d_head].</param>
    /// <param name="value">[batch, head, key, d_value].</param>
    /// <param name="mask">Which keys a query sees, and what is added to the scores.</param>
    /// <param name="pattern">Where the pattern, [batch, head, query, key], can be seen and replaced.</param>
    /// <param name="dropout">Probability with which a weight of the pattern is set to zero; 0 outside training.</param>
    /// <returns>[batch, head, query, d_value].</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor Attend(
        Tensor query, Tensor key, Tensor value, AttentionMask mask, HookPoint? pattern = null, double dropout = 0)
    {
        CheckShapes(query, key, value);
        using var scope = NewDisposeScope();
        // The fused kernel has no shape-only version for the meta device.
        if (pattern is { IsWatched: true } || query.IsMeta())
            return StepByStep(query, key, value, mask, pattern, dropout).MoveToOuterDisposeScope();

        var plainCausal = mask.IsPlainCausal(query.shape[2], key.shape[2]);
        var bias = plainCausal ? null : mask.Bias(query, key.shape[2]);
        return functional.scaled_dot_product_attention(query, key, value, bias, dropout, plainCausal).MoveToOuterDisposeScope();
    }

    private static Tensor StepByStep(
        Tensor query, Tensor key, Tensor value, AttentionMask mask, HookPoint? pattern, double dropout)
    {
        var scores = query.MatMul(key.transpose(-2, -1)) / Math.Sqrt(query.shape[3]);   // [batch, head, query, key]
        if (mask.Bias(query, key.shape[2]) is { } bias) scores += bias;
        var weights = scores.softmax(-1);
        if (pattern is not null) weights = pattern.call(weights);
        return functional.dropout(weights, dropout, training: dropout > 0).MatMul(value);
    }

    private static void CheckShapes(Tensor query, Tensor key, Tensor value)
    {
        var (q, k, v) = (query.shape, key.shape, value.shape);
        if (q.Length != 4 || k.Length != 4 || v.Length != 4 || q[3] != k[3] || k[2] != v[2]
            || q[0] != k[0] || q[1] != k[1] || k[0] != v[0] || k[1] != v[1])
            throw new ArgumentException($"Queries {query.ShapeText()}, keys {key.ShapeText()} and values {value.ShapeText()} do not fit; "
                + "expected [batch, head, query, d_head], [batch, head, key, d_head] and [batch, head, key, d_value].", nameof(query));
    }
}
