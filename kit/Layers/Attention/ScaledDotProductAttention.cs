using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>softmax(Q Kᵀ / √d + bias) V.</summary>
/// <remarks>
/// Vaswani et al., 2017, §3.2.1, https://arxiv.org/abs/1706.03762. Uses libtorch's fused kernel, which never
/// stores the attention pattern (the softmax). While the pattern's hook point has a hook, that layer falls back
/// to the unfused computation. With fewer key heads than query heads, each key head serves a group of
/// neighbouring query heads (Ainslie et al., 2023, https://arxiv.org/abs/2305.13245).
/// </remarks>
public static class ScaledDotProductAttention
{
    /// <summary>
    /// Computes attention: for each query, the mean of the values weighted by the softmax of the scores.
    /// </summary>
    /// <param name="query">[batch, head, query, d_head].</param>
    /// <param name="key">[batch, key head, key, d_head]; the number of key heads must divide the number of
    /// heads.</param>
    /// <param name="value">[batch, key head, key, d_value].</param>
    /// <param name="mask">Which keys each query attends to, and a bias on the scores.</param>
    /// <param name="pattern">Hook point through which the attention pattern, [batch, head, query, key], passes;
    /// null for none.</param>
    /// <param name="dropout">Dropout probability of the pattern; 0 outside training.</param>
    /// <param name="scale">Factor on the scores; null for 1 / √d_head.</param>
    /// <param name="scores">Hook point through which the scores before the softmax pass, with bias and mask, [batch,
    /// head, query, key]; null for none.</param>
    /// <returns>[batch, head, query, d_value].</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, AttentionMask mask, HookPoint? pattern = null,
        double dropout = 0, double? scale = null, HookPoint? scores = null)
    {
        CheckShapes(query, key, value);
        using var scope = NewDisposeScope();
        // The fused kernel always divides by √d; scaling the queries compensates for it.
        if (scale is { } factor) query = query * (factor * Math.Sqrt(query.shape[3]));
        // The fused kernel is not implemented for the meta device.
        var stepByStep = pattern is { IsWatched: true } || scores is { IsWatched: true } || query.IsMeta();
        if (FlopTally.IsAsked) Tally(query, key, value, mask);
        using var counted = FlopTally.IsAsked ? FlopTally.Pause() : null;
        if (query.shape[1] != key.shape[1])
        {
            if (!stepByStep && query.shape[2] == 1 && mask.IsTheSameForAllHeads)
                return OneQuery(query, key, value, mask, dropout).MoveToOuterDisposeScope();
            key = Repeat(key, query.shape[1]);
            value = Repeat(value, query.shape[1]);
        }
        var y = stepByStep ? StepByStep(query, key, value, mask, pattern, scores, dropout)
            : Fused(query, key, value, mask, dropout);
        if (ActivationTape.Current is not null)
            ActivationRules.Attention(query, key, value, y,
                mask.IsPlainCausal(query.shape[2], key.shape[2]) ? null : mask.Bias(query, key.shape[2]), dropout);
        return y.MoveToOuterDisposeScope();
    }

    private static Tensor Fused(Tensor query, Tensor key, Tensor value, AttentionMask mask, double dropout)
    {
        var plainCausal = mask.IsPlainCausal(query.shape[2], key.shape[2]);
        var bias = plainCausal ? null : mask.Bias(query, key.shape[2]);
        if (BFloat16Emulation.Fits(query))
            return BFloat16Emulation.Of(query, key, value, (query, key, value) => functional.scaled_dot_product_attention(query,
                key, value!, bias?.to(float32), dropout, plainCausal));
        return functional.scaled_dot_product_attention(query, key, value, bias, dropout, plainCausal);
    }

    private static Tensor StepByStep(Tensor query, Tensor key, Tensor value, AttentionMask mask,
        HookPoint? pattern, HookPoint? hook, double dropout)
    {
        var scores = query.MatMul(key.transpose(-2, -1)) / Math.Sqrt(query.shape[3]);   // [batch, head, query, key]
        if (mask.Bias(query, key.shape[2]) is { } bias) scores += bias;
        if (hook is not null) scores = hook.Pass(scores);
        var weights = scores.softmax(-1);
        if (pattern is not null) weights = pattern.Pass(weights);
        return functional.dropout(weights, dropout, training: dropout > 0).MatMul(value);
    }

    /// <summary>
    /// Computes attention for one query position: the heads of a group become the queries of their key head, so
    /// that keys and values are not copied in generation.
    /// </summary>
    private static Tensor OneQuery(Tensor query, Tensor key, Tensor value, AttentionMask mask, double dropout)
    {
        var batch = query.shape[0];
        var heads = query.shape[1];
        var keyHeads = key.shape[1];
        var grouped = query.reshape(batch, keyHeads, heads / keyHeads, query.shape[3]);
        var bias = mask.Bias(query, key.shape[2]);   // [batch, 1, 1, key]
        return functional.scaled_dot_product_attention(grouped, key, value, bias, dropout)
            .reshape(batch, heads, 1, value.shape[3]);
    }

    /// <summary>
    /// Counts the multiplications of both products: queries with keys, and the pattern with the values.
    /// </summary>
    private static void Tally(Tensor query, Tensor key, Tensor value, AttentionMask mask) =>
        FlopTally.Add((double)query.numel() / query.shape[3] * key.shape[2] * (query.shape[3] + value.shape[3]),
            ProductKind.Attention, (query.requires_grad ? 1 : 0) + (key.requires_grad || value.requires_grad ? 1 : 0),
            mask.VisibleShare(query.shape[2], key.shape[2]));

    /// <summary>
    /// Repeats each key head for all query heads of its group: [batch, key head, key, d] to [batch, head, key, d].
    /// </summary>
    private static Tensor Repeat(Tensor x, long heads)
    {
        var shape = x.shape;
        return x.unsqueeze(2).expand(shape[0], shape[1], heads / shape[1], shape[2], shape[3])
            .reshape(shape[0], heads, shape[2], shape[3]);
    }

    private static void CheckShapes(Tensor query, Tensor key, Tensor value)
    {
        var q = query.shape;
        var k = key.shape;
        var v = value.shape;
        if (q.Length != 4 || k.Length != 4 || v.Length != 4 || q[3] != k[3] || k[2] != v[2]
            || q[0] != k[0] || k[1] < 1 || q[1] % k[1] != 0 || k[0] != v[0] || k[1] != v[1])
            throw new ArgumentException(
                $"Queries {query.ShapeText()}, keys {key.ShapeText()} and values {value.ShapeText()} do not fit; "
                + "expected [batch, head, query, d_head], [batch, key head, key, d_head] and [batch, key head, key, d_value].",
                    nameof(query));
    }
}
