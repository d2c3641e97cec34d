using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Maps the distance of query and key to buckets: each short distance has its own, and long ones share buckets
/// that widen with the distance.
/// </summary>
/// <remarks>
/// Raffel et al., 2020, §2.1, https://arxiv.org/abs/1910.10683; each head learns one number for each bucket,
/// which is added to its scores.
/// </remarks>
public static class RelativePositions
{
    /// <summary>Computes the bucket of each distance.</summary>
    /// <param name="distances">Key minus query: int64, any shape.</param>
    /// <param name="buckets">Number of buckets.</param>
    /// <param name="maximumDistance">All distances from this one on are in the last bucket.</param>
    /// <param name="bidirectional">True: half of the buckets are for keys before the query, and half for keys after
    /// it. False: all keys after the query are in bucket 0.</param>
    /// <returns>int64 from 0 to less than <paramref name="buckets"/>, of the shape of
    /// <paramref name="distances"/>.</returns>
    /// <exception cref="ArgumentException">There are too few buckets, or the maximum distance is not above the
    /// distances with a bucket of their own.</exception>
    public static Tensor Buckets(Tensor distances, int buckets, int maximumDistance, bool bidirectional)
    {
        var side = bidirectional ? buckets / 2 : buckets;
        var exact = side / 2;   // distances 0 … exact - 1 have a bucket each
        if (exact < 1 || maximumDistance <= exact)
            throw new ArgumentException($"{buckets} buckets up to a distance of {maximumDistance} cannot be laid out; "
            + $"expected at least {(bidirectional ? 4 : 2)} buckets, and a distance above {exact}.", nameof(buckets));
        using var scope = NewDisposeScope();
        var far = bidirectional ? maximum(distances, distances.neg()) : distances.clamp_max(0).neg();
        var growth = (far.clamp_min(exact).to(float32) / exact).log() / Math.Log((double)maximumDistance / exact);   // 0 to 1
        var bucket = (far.clamp_max(exact) + (growth * (side - exact)).to(int64)).clamp_max(side - 1);
        if (bidirectional) bucket += (distances > 0).to(int64) * side;
        return bucket.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Computes key position minus query position for each pair; the last query has the position of the last key.
    /// </summary>
    /// <returns>int64 [query, key].</returns>
    internal static Tensor Distances(long queries, long keys, Device device)
    {
        using var scope = NewDisposeScope();
        var key = arange(keys, dtype: int64, device: device);
        return (key - key.narrow(0, keys - queries, queries).unsqueeze(1)).MoveToOuterDisposeScope();
    }
}
