using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>
/// Batches in an order that reads files from their begin to their end, and still mixes: the parts (files, row groups) come in a
/// random order, and each next example is drawn from a buffer of the examples that were reached.
/// </summary>
/// <remarks>
/// Only numbers are buffered, never examples, so that the order is known without reading a file: a loader goes on in the middle
/// of an epoch at once and exactly.
/// </remarks>
public sealed class ShuffleBuffer : IBatchOrder
{
    private readonly IReadOnlyList<long> parts;
    private readonly int size;
    private readonly long count;

    /// <param name="parts">
    /// Number of examples of each part, in the order of the examples, such as <see cref="TextLines.Parts"/>.
    /// </param>
    /// <param name="batchSize">Number of examples in a batch; the last, incomplete batch of an epoch is left out.</param>
    /// <param name="size">Number of examples in the buffer; 1 for no mixing within a part.</param>
    /// <param name="seed">Seed of the order.</param>
    /// <exception cref="ArgumentException">There are fewer examples than a batch takes.</exception>
    public ShuffleBuffer(IReadOnlyList<long> parts, int batchSize, int size = 10_000, int seed = 1337)
    {
        ArgumentNullException.ThrowIfNull(parts);
        Require.Sizes((batchSize, nameof(batchSize)), (size, nameof(size)));
        this.parts = parts;
        this.size = size;
        count = parts.Sum();
        BatchSize = batchSize;
        Seed = seed;
        Require.That(batchSize <= count, batchSize, nameof(batchSize), $"at most the {count} examples");
    }

    /// <inheritdoc/>
    public int BatchSize { get; }

    /// <inheritdoc/>
    public int? Seed { get; }

    /// <inheritdoc/>
    public long Count(long epoch) => count / BatchSize;

    /// <inheritdoc/>
    public IEnumerable<IReadOnlyList<long>> Batches(long epoch) =>
        Mixed(epoch).Chunk(BatchSize).Where(batch => batch.Length == BatchSize);

    private IEnumerable<long> Mixed(long epoch)
    {
        var random = Shuffle.Random(~Seed!.Value, epoch);
        var buffer = new List<long>((int)Math.Min(size, count));
        foreach (var number in Reached(epoch))
        {
            if (buffer.Count < size)
            {
                buffer.Add(number);
                continue;
            }
            var chosen = (int)Math.BigMul(random.Next(), (ulong)size, out _);
            yield return buffer[chosen];
            buffer[chosen] = number;
        }
        long[] rest = [.. buffer];
        Shuffle.InPlace(rest, Seed.Value, ~epoch);
        foreach (var number in rest) yield return number;
    }

    private IEnumerable<long> Reached(long epoch)
    {
        var firsts = new long[parts.Count];
        for (var part = 1; part < firsts.Length; part++) firsts[part] = firsts[part - 1] + parts[part - 1];
        var order = new long[parts.Count];
        for (var part = 0; part < order.Length; part++) order[part] = part;
        Shuffle.InPlace(order, Seed!.Value, epoch);
        foreach (var part in order)
            for (var number = firsts[part]; number < firsts[part] + parts[(int)part]; number++) yield return number;
    }
}
