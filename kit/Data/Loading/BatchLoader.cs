using System.Threading.Channels;

namespace ResearchKit.Data;

/// <summary>Position of a loader: how many epochs and batches it has handed out.</summary>
/// <param name="Epoch">Index of the epoch, from 0.</param>
/// <param name="Batch">Number of batches of this epoch that were handed out.</param>
public readonly record struct LoaderPosition(long Epoch, long Batch);

/// <summary>Yields batches endlessly, epoch after epoch, and prefetches them on other threads.</summary>
/// <remarks>
/// Every epoch yields each example once, in an order that depends only on the seed and the epoch; the last,
/// incomplete batch of an epoch is dropped. A loader that is set to the position of another with the same seed
/// yields the same batches from there on, random changes included, whatever the number of workers. In data-parallel training,
/// each process takes its share of every batch: the shares of all processes together are one batch of a single loader whose
/// batch size is that many times larger.
/// </remarks>
public sealed class BatchLoader
{
    private readonly IBatchOrder order;
    private readonly int prefetch, workers, share, shares;

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
    /// <param name="workers">
    /// Number of batches that are made at the same time, each on a thread. The examples must then be safe to fetch from several
    /// threads, as those of the kit are.
    /// </param>
    /// <exception cref="ArgumentException">There are fewer examples than one batch of all shares needs, or the
    /// weights are invalid.</exception>
    public BatchLoader(IExamples examples, int batchSize, int? seed = 1337, int prefetch = 4, int share = 0, int shares = 1,
        IReadOnlyList<double>? weights = null, int workers = 1)
        : this(examples, new ShuffledBatches(examples.Count, batchSize, seed, weights), prefetch, share, shares, workers)
    {
        if (examples.Count < (long)batchSize * shares)
            throw new ArgumentException($"There are {examples.Count} examples; "
                + $"one batch of all shares needs {(long)batchSize * shares}.", nameof(examples));
    }

    /// <summary>Makes a loader of batches in an order of its own, such as <see cref="LengthBuckets"/>.</summary>
    /// <param name="examples">The data set.</param>
    /// <param name="order">Which examples form which batch. With several shares, each takes every so many-th batch.</param>
    /// <param name="prefetch">Number of batches to prefetch.</param>
    /// <param name="share">Index of this loader's share, from 0.</param>
    /// <param name="shares">Number of shares.</param>
    /// <param name="workers">Number of batches that are made at the same time.</param>
    public BatchLoader(IExamples examples, IBatchOrder order, int prefetch = 4, int share = 0, int shares = 1, int workers = 1)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentNullException.ThrowIfNull(order);
        ArgumentOutOfRangeException.ThrowIfLessThan(prefetch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shares, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, shares);
        Examples = examples;
        this.order = order;
        this.prefetch = prefetch;
        this.workers = workers;
        this.share = share;
        this.shares = shares;
    }

    /// <summary>Number of examples in a batch; the largest where they differ.</summary>
    public int BatchSize => order.BatchSize;

    /// <summary>Seed of the shuffling; null for the order of the indexes.</summary>
    public int? Seed => order.Seed;

    /// <summary>The data set.</summary>
    public IExamples Examples { get; }

    /// <summary>Number of batches per epoch; of the present epoch where epochs differ.</summary>
    public long BatchesPerEpoch => order.Count(Position.Epoch) / shares;

    /// <summary>Position of the loader. Set it before calling <see cref="Batches"/> to resume from there.</summary>
    public LoaderPosition Position { get; set; }

    /// <summary>Yields batches endlessly from <see cref="Position"/> on. The consumer owns each batch.</summary>
    public IEnumerable<Batch> Batches()
    {
        var channel = Channel.CreateBounded<(Task<Batch> Batch, LoaderPosition Next)>(new BoundedChannelOptions(prefetch)
        {
            SingleReader = true,
            SingleWriter = true
        });
        using var stop = new CancellationTokenSource();
        using var free = new SemaphoreSlim(workers);
        var making = Task.Run(() => Make(channel.Writer, Position, free, stop.Token));
        try
        {
            while (channel.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                if (!channel.Reader.TryRead(out var next)) continue;
                var batch = next.Batch.GetAwaiter().GetResult();
                Position = next.Next;
                yield return batch;
            }
        }
        finally
        {
            stop.Cancel();
            making.Wait();
            while (channel.Reader.TryRead(out var unused)) Discard(unused.Batch);
        }
    }

    private async Task Make(ChannelWriter<(Task<Batch>, LoaderPosition)> writer, LoaderPosition position, SemaphoreSlim free,
        CancellationToken stop)
    {
        try
        {
            foreach (var (numbers, draws, next) in From(position))
            {
                await free.WaitAsync(stop).ConfigureAwait(false);
                var batch = Task.Run(() =>
                {
                    try
                    {
                        return Examples.Fetch(numbers, draws);
                    }
                    finally
                    {
                        free.Release();
                    }
                }, CancellationToken.None);
                try
                {
                    await writer.WriteAsync((batch, next), stop).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    Discard(batch);
                    throw;
                }
            }
        }
        catch (OperationCanceledException)
        {
            writer.TryComplete();
        }
        catch (Exception error)
        {
            writer.TryComplete(error);   // rethrown in the consumer
        }
    }

    /// <summary>The examples of each batch of this share from a position on, and the position after it.</summary>
    private IEnumerable<(IReadOnlyList<long> Numbers, IReadOnlyList<long> Draws, LoaderPosition Next)> From(
        LoaderPosition position)
    {
        for (var (epoch, first) = (position.Epoch, position.Batch); ; epoch++, first = 0)
        {
            var count = order.Count(epoch) / shares;
            if (count == 0) throw new InvalidOperationException(
                $"Epoch {epoch} has {order.Count(epoch)} batches; each of the {shares} "
                + "shares needs one.");
            var (at, draw) = (0L, epoch * Examples.Count);
            foreach (var numbers in order.Batches(epoch).Take(checked((int)(count * shares))))
            {
                if (at / shares >= first && at % shares == share)
                {
                    var next = at / shares + 1;
                    yield return (numbers, Following(draw, numbers.Count),
                        next < count ? new LoaderPosition(epoch, next) : new LoaderPosition(epoch + 1, 0));
                }
                at++;
                draw += numbers.Count;
            }
        }
    }

    private static long[] Following(long first, int count)
    {
        var draws = new long[count];
        for (var at = 0; at < count; at++) draws[at] = first + at;
        return draws;
    }

    /// <summary>Waits for a batch that nobody reads, and disposes it; its error has no reader either.</summary>
    private static void Discard(Task<Batch> batch)
    {
        ((IAsyncResult)batch).AsyncWaitHandle.WaitOne();
        if (batch.IsCompletedSuccessfully) batch.Result.Dispose();
    }
}
