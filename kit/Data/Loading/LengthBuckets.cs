using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>
/// Batches of examples of similar length, so that little is padded: shuffled, cut into groups of a hundred batches, sorted by
/// length within a group, and the batches shuffled again.
/// </summary>
public sealed class LengthBuckets : IBatchOrder
{
    private const int BatchesInGroup = 100;

    private readonly IReadOnlyList<int> lengths;
    private readonly int? tokenBudget;
    private Counted? counted;

    private LengthBuckets(IReadOnlyList<int> lengths, int batchSize, int? tokenBudget, int seed)
    {
        this.lengths = lengths;
        this.tokenBudget = tokenBudget;
        BatchSize = batchSize;
        Seed = seed;
        Require.AtLeast(1, batchSize, "batchSize");
        Require.That(lengths.Count > 0, lengths.Count, "Number of lengths", "at least 1");
        for (var number = 0; tokenBudget is { } budget && number < lengths.Count; number++)
            if (lengths[number] > budget)
                throw new ArgumentException($"Example {number} has {lengths[number]} tokens; the budget of a batch is {budget}.",
                    nameof(tokenBudget));
    }

    /// <summary>Batches of a number of examples; the last, incomplete one of an epoch is left out.</summary>
    /// <param name="lengths">Length of each example.</param>
    /// <param name="batchSize">Number of examples in a batch.</param>
    /// <param name="seed">Seed of the shuffling.</param>
    /// <exception cref="ArgumentException">There are fewer examples than a batch takes.</exception>
    public static LengthBuckets OfSize(IReadOnlyList<int> lengths, int batchSize, int seed = 1337)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        Require.That(batchSize <= lengths.Count, batchSize, nameof(batchSize), $"at most the {lengths.Count} examples");
        return new LengthBuckets(lengths, batchSize, null, seed);
    }

    /// <summary>
    /// Batches of at most so many tokens, padding included: the number of examples times the length of the longest. No example is
    /// left out.
    /// </summary>
    /// <param name="lengths">Length of each example.</param>
    /// <param name="tokens">Largest number of tokens of a batch.</param>
    /// <param name="mostExamples">Largest number of examples of a batch.</param>
    /// <param name="seed">Seed of the shuffling.</param>
    /// <exception cref="ArgumentException">An example is longer than the budget; the message names it.</exception>
    public static LengthBuckets OfTokens(IReadOnlyList<int> lengths, int tokens, int mostExamples = 1024, int seed = 1337)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        return new LengthBuckets(lengths, mostExamples, tokens, seed);
    }

    /// <inheritdoc/>
    public int BatchSize { get; }

    /// <inheritdoc/>
    public int? Seed { get; }

    /// <inheritdoc/>
    public long Count(long epoch)
    {
        if (tokenBudget is null) return lengths.Count / BatchSize;
        if (counted is { } known && known.Epoch == epoch) return known.Batches;
        var count = Batches(epoch).LongCount();
        counted = new Counted(epoch, count);
        return count;
    }

    /// <inheritdoc/>
    public IEnumerable<IReadOnlyList<long>> Batches(long epoch)
    {
        var order = new long[lengths.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Shuffle.InPlace(order, Seed!.Value, epoch);
        var group = (int)Math.Min(order.Length, (long)BatchesInGroup * Math.Min(BatchSize, 1024));
        var batches = new List<ArraySegment<long>>();
        for (var first = 0; first < order.Length; first += group)
        {
            var inGroup = new ArraySegment<long>(order, first, Math.Min(group, order.Length - first));
            inGroup.AsSpan().Sort((one, other) => lengths[(int)one] != lengths[(int)other]
                ? lengths[(int)one].CompareTo(lengths[(int)other]) : one.CompareTo(other));
            Cut(inGroup, batches);
        }
        if (tokenBudget is null) batches.RemoveAll(batch => batch.Count < BatchSize);
        var shuffled = new long[batches.Count];
        for (var i = 0; i < shuffled.Length; i++) shuffled[i] = i;
        Shuffle.InPlace(shuffled, ~Seed.Value, epoch);
        return shuffled.Select(number => (IReadOnlyList<long>)batches[(int)number]);
    }

    private void Cut(ArraySegment<long> sorted, List<ArraySegment<long>> batches)
    {
        for (var first = 0; first < sorted.Count;)
        {
            var last = first + 1;
            while (last < sorted.Count && last - first < BatchSize
                && (tokenBudget is not { } budget || (last + 1 - first) * (long)lengths[(int)sorted[last]] <= budget)) last++;
            batches.Add(sorted[first..last]);
            first = last;
        }
    }

    /// <summary>How many batches an epoch has. A reference, since the loader's threads read and write it.</summary>
    private sealed record Counted(long Epoch, long Batches);
}
