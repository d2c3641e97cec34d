using System.Threading.Channels;

namespace ResearchKit.Data;

/// <summary>Position of a loader: how many epochs and batches it has handed out.</summary>
/// <param name="Epoch">Index of the epoch, from 0.</param>
/// <param name="Batch">Number of batches of this epoch that were handed out.</param>
public readonly record struct LoaderPosition(long Epoch, long Batch);

/// <summary>Yields batches endlessly, epoch after epoch, and prefetches them on another thread.</summary>
/// <remarks>
/// Every epoch yields each example once, in an order that depends only on the seed and the epoch; the last,
/// incomplete batch of an epoch is dropped. A loader that is set to the position of another with the same seed
/// yields the same batches from there on. In data-parallel training, each process takes its share of every
/// batch: the shares of all processes together are one batch of a single loader whose batch size is that many
/// times larger.
/// </remarks>
public sealed class BatchLoader
{
    private readonly IExamples examples;
    private readonly int prefetch;
    private readonly int? seed;
    private readonly int share, shares;
    private readonly double[]? upTo;   // sums of the weights up to each example

    /// <param name="examples">The data set.</param>
    /// <param name="batchSize">Number of examples in a batch.</param>
    /// <param name="seed">Seed of the shuffling; null for the order of the indexes.</param>
    /// <param name="prefetch">Number of batches to prefetch.</param>
    /// <param name="share">
    /// Index of this loader's share of each batch, from 0; the rank in data-parallel training.
    /// </param>
    /// <param name="shares">
    /// Number of shares, the world size in data-parallel training; <paramref name="batchSize"/> is the size of one
    /// share.
    /// </param>
    /// <param name="weights">
    /// Null for every example once in an epoch. Otherwise how likely each example is, such as
    /// <see cref="Examples.BalancedWeights"/>: an epoch draws as many examples as there are, with replacement.
    /// </param>
    /// <exception cref="ArgumentException">There are fewer examples than a batch takes, or the weights do not fit
    /// them.</exception>
    public BatchLoader(IExamples examples, int batchSize, int? seed = 1337, int prefetch = 4, int share = 0, int shares = 1,
        IReadOnlyList<double>? weights = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(prefetch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shares, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, shares);
        if (examples.Count < (long)batchSize * shares)
            throw new ArgumentException($"There are {examples.Count} examples; "
                + $"one batch of all shares needs {(long)batchSize * shares}.", nameof(examples));
        this.examples = examples;
        BatchSize = batchSize;
        this.seed = seed;
        this.prefetch = prefetch;
        this.share = share;
        this.shares = shares;
        if (weights is null) return;
        if (weights.Count != examples.Count)
            throw new ArgumentException($"Got {weights.Count} weights for {examples.Count} examples; expected one for each.",
                nameof(weights));
        if (weights.Any(weight => weight is not (>= 0 and < double.PositiveInfinity)) || weights.Sum() <= 0)
            throw new ArgumentException("Weights must be finite and not negative, with a positive sum.", nameof(weights));
        if (seed is null) throw new ArgumentException("Weights need a seed: they draw examples at random.", nameof(weights));
        upTo = new double[weights.Count];
        var sum = 0.0;
        for (var i = 0; i < upTo.Length; i++) upTo[i] = sum += weights[i];
    }

    /// <summary>Number of examples in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Seed of the shuffling; null for the order of the indexes.</summary>
    public int? Seed => seed;

    /// <summary>The data set.</summary>
    public IExamples Examples => examples;

    /// <summary>Number of batches per epoch.</summary>
    public long BatchesPerEpoch => examples.Count / ((long)BatchSize * shares);

    /// <summary>Position of the loader. Set it before calling <see cref="Batches"/> to resume from there.</summary>
    public LoaderPosition Position { get; set; }

    /// <summary>Yields batches endlessly from <see cref="Position"/> on. The consumer owns each batch.</summary>
    public IEnumerable<Batch> Batches()
    {
        var channel = Channel.CreateBounded<Batch>(new BoundedChannelOptions(prefetch)
        {
            SingleReader = true,
            SingleWriter = true
        });
        using var stop = new CancellationTokenSource();
        var making = Task.Run(() => Make(channel.Writer, Position, stop.Token));
        try
        {
            while (channel.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                if (!channel.Reader.TryRead(out var batch)) continue;
                Position = After(Position);
                yield return batch;
            }
        }
        finally
        {
            stop.Cancel();
            making.Wait();
            while (channel.Reader.TryRead(out var unused)) unused.Dispose();
        }
    }

    private async Task Make(ChannelWriter<Batch> writer, LoaderPosition position, CancellationToken stop)
    {
        try
        {
            for (var order = Order(position.Epoch); !stop.IsCancellationRequested;)
            {
                var batch = examples.Fetch(new ArraySegment<long>(order, (int)(((position.Batch * shares) + share) * BatchSize),
                    BatchSize));
                try
                {
                    await writer.WriteAsync(batch, stop).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    batch.Dispose();
                    break;
                }
                var next = After(position);
                if (next.Epoch != position.Epoch) order = Order(next.Epoch);
                position = next;
            }
            writer.TryComplete();
        }
        catch (Exception error)
        {
            writer.TryComplete(error);   // rethrown in the consumer
        }
    }

    private LoaderPosition After(LoaderPosition position) =>
        position.Batch + 1 < BatchesPerEpoch
            ? position with { Batch = position.Batch + 1 } : new LoaderPosition(position.Epoch + 1, 0);

    private long[] Order(long epoch)
    {
        var order = new long[examples.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        if (seed is not { } start) return order;
        if (upTo is null) Shuffle.InPlace(order, start, epoch);
        else Draw(order, upTo, start, epoch);
        return order;
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
