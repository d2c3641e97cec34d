using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Distances of query and key in classes: near ones have a class each, far ones share classes that grow with the distance.
/// </summary>
/// <remarks>
/// Raffel et al., 2020, §2.1, https://arxiv.org/abs/1910.10683; each class of a head has a learned number that is added to its
/// scores.
/// </remarks>
public static class RelativePositions
{
    /// <summary>The class of each distance.</summary>
    /// <param name="distances">Key minus query: int64, any shape.</param>
    /// <param name="buckets">Number of classes.</param>
    /// <param name="maximumDistance">From this distance on all are in the last class.</param>
    /// <param name="bidirectional">Half of the classes for keys before the query and half for those after it; otherwise all keys
    /// after it are in class 0.</param>
    /// <returns>int64 from 0 to less than <paramref name="buckets"/>, the shape of <paramref name="distances"/>.</returns>
    /// <exception cref="ArgumentException">Too few classes, or a maximum distance that they already reach one by one.</exception>
    public static Tensor Buckets(Tensor distances, int buckets, int maximumDistance, bool bidirectional)
    {
        var side = bidirectional ? buckets / 2 : buckets;
        var exact = side / 2;   // distances 0 … exact - 1 have a class each
        if (exact < 1 || maximumDistance <= exact)
            throw new ArgumentException($"{buckets} classes up to a distance of {maximumDistance} cannot be laid out.",
                nameof(buckets));
        using var scope = NewDisposeScope();
        var far = bidirectional ? maximum(distances, distances.neg()) : distances.clamp_max(0).neg();
        var growth = (far.clamp_min(exact).to(float32) / exact).log() / Math.Log((double)maximumDistance / exact);   // 0 to 1
        var bucket = (far.clamp_max(exact) + (growth * (side - exact)).to(int64)).clamp_max(side - 1);
        if (bidirectional) bucket += (distances > 0).to(int64) * side;
        return bucket.MoveToOuterDisposeScope();
    }

    /// <summary>Key minus query for each pair, where the last query stands at the last key.</summary>
    /// <returns>int64 [query, key].</returns>
    internal static Tensor Distances(long queries, long keys, Device device)
    {
        using var scope = NewDisposeScope();
        var key = arange(keys, dtype: int64, device: device);
        return (key - key.narrow(0, keys - queries, queries).unsqueeze(1)).MoveToOuterDisposeScope();
    }
}
