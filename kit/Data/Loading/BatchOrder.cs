namespace ResearchKit.Data;

/// <summary>Which examples form which batch, epoch by epoch. It depends on the seed and the epoch alone.</summary>
public interface IBatchOrder
{
    /// <summary>Number of examples in a batch; the largest where they differ.</summary>
    int BatchSize { get; }

    /// <summary>Seed of the shuffling; null if nothing is shuffled.</summary>
    int? Seed { get; }

    /// <summary>Number of batches of an epoch.</summary>
    long Count(long epoch);

    /// <summary>Indexes of the examples of each batch of an epoch, in order.</summary>
    IEnumerable<IReadOnlyList<long>> Batches(long epoch);
}

/// <summary>All examples in a random order, or drawn by weights; the last, incomplete batch is left out.</summary>
internal sealed class ShuffledBatches : IBatchOrder
{
    private readonly long count;
    private readonly double[]? upTo;   // sums of the weights up to each example

    public ShuffledBatches(long count, int batchSize, int? seed, IReadOnlyList<double>? weights)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        this.count = count;
        BatchSize = batchSize;
        Seed = seed;
        if (weights is null) return;
        if (weights.Count != count)
            throw new ArgumentException($"Got {weights.Count} weights for {count} examples; expected one for each.",
                nameof(weights));
        if (weights.Any(weight => weight is not (>= 0 and < double.PositiveInfinity)) || weights.Sum() <= 0)
            throw new ArgumentException("Weights must be finite and not negative, with a positive sum.", nameof(weights));
        if (seed is null) throw new ArgumentException("Weights need a seed: they draw examples at random.", nameof(weights));
        upTo = new double[weights.Count];
        var sum = 0.0;
        for (var i = 0; i < upTo.Length; i++) upTo[i] = sum += weights[i];
    }

    public int BatchSize { get; }

    public int? Seed { get; }

    public long Count(long epoch) => count / BatchSize;

    public IEnumerable<IReadOnlyList<long>> Batches(long epoch)
    {
        var order = new long[count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        if (Seed is { } seed && upTo is null) Shuffle.InPlace(order, seed, epoch);
        else if (upTo is not null) Draw(order, upTo, Seed!.Value, epoch);
        for (var first = 0; first + BatchSize <= order.Length; first += BatchSize)
            yield return new ArraySegment<long>(order, first, BatchSize);
    }

    /// <summary>Draws each place from the weights, with replacement.</summary>
    private static void Draw(long[] order, double[] upTo, int seed, long epoch)
    {
        var random = Shuffle.Random(seed, epoch);
        for (var i = 0; i < order.Length; i++)
        {
            var found = Array.BinarySearch(upTo, random.NextShare() * upTo[^1]);
            order[i] = Math.Min(found >= 0 ? found + 1 : ~found, upTo.Length - 1);
        }
    }
}
