using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>How the heads of a layer become one pattern.</summary>
public enum HeadFusion
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>Their largest weight.</summary>
    Max,

    /// <summary>Their smallest weight.</summary>
    Min,
}

/// <summary>
/// Attention rollout: the patterns of successive layers multiplied, as an estimate of which input tokens each token of a layer
/// contains.
/// </summary>
/// <remarks>
/// Abnar and Zuidema, 2020, https://arxiv.org/abs/2005.00928. It ignores what values and MLPs do, so it is no explanation of an
/// output by itself.
/// </remarks>
public static class AttentionRollout
{
    /// <summary>Rolls out patterns.</summary>
    /// <param name="attention">Patterns, [layer, head, query, key].</param>
    /// <param name="residual">Whether each layer also passes its input on: half of each token comes from itself.</param>
    /// <param name="fusion">How heads become one pattern.</param>
    /// <returns>[layer, query, input token] in the dtype given; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The shape is another one.</exception>
    public static Tensor Of(Tensor attention, bool residual = true, HeadFusion fusion = HeadFusion.Mean)
    {
        ArgumentNullException.ThrowIfNull(attention);
        if (attention.dim() != 4 || attention.shape[2] != attention.shape[3])
            throw new ArgumentException($"Got patterns {attention.ShapeText()}; expected [layer, head, query, key] of "
                + "self-attention.",
                nameof(attention));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var fused = fusion switch
        {
            HeadFusion.Mean => attention.mean([1]),
            HeadFusion.Max => attention.amax([1]),
            _ => attention.amin([1]),
        };
        if (residual)
        {
            fused = fused + eye(attention.shape[2], dtype: attention.dtype, device: attention.device);
            fused = fused / fused.sum(dim: -1, keepdim: true);
        }
        var layers = new List<Tensor> { fused[0] };
        for (var layer = 1; layer < fused.shape[0]; layer++) layers.Add(fused[layer].matmul(layers[^1]));
        return stack(layers).MoveToOuterDisposeScope();
    }

    /// <summary>Rolls out the attention maps of a model.</summary>
    /// <param name="maps">Self-attention of every layer.</param>
    /// <param name="residual">Whether each layer also passes its input on.</param>
    /// <param name="fusion">How heads become one pattern.</param>
    /// <returns>One map a layer: rows are its tokens, columns the input tokens.</returns>
    /// <exception cref="ArgumentException">There is no pattern, or layers differ in their tokens or heads.</exception>
    public static AttentionMaps Rollout(this AttentionMaps maps, bool residual = true, HeadFusion fusion = HeadFusion.Mean)
    {
        ArgumentNullException.ThrowIfNull(maps);
        var layers = maps.Patterns.GroupBy(pattern => pattern.Layer).OrderBy(layer => layer.Key)
            .Select(layer => layer.ToList()).ToList();
        if (layers.Count == 0 || layers.Any(layer => layer.Count != layers[0].Count
            || layer.Any(pattern => pattern.Weights.GetLength(0) != layers[0][0].Weights.GetLength(1))))
            throw new ArgumentException("Expected self-attention with the same tokens and as many heads in each layer.",
                nameof(maps));
        var first = layers[0][0];
        var tokens = first.Weights.GetLength(0);
        using var scope = NewDisposeScope();
        var patterns = stack(layers.Select(layer => stack(layer.Select(pattern => tensor(pattern.Weights)))));
        var rolled = Of(patterns, residual, fusion).cpu().contiguous().data<float>().ToArray();
        return new AttentionMaps([.. layers.Select((layer, index) =>
        {
            var weights = new float[tokens, tokens];
            Buffer.BlockCopy(rolled, index * tokens * tokens * sizeof(float), weights, 0, weights.Length * sizeof(float));
            return new AttentionPattern($"rollout to layer {layer[0].Layer}", layer[0].Layer, 0, first.QueryTokens,
                first.KeyTokens, weights);
        })]);
    }
}
