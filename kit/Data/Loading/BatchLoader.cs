using System.Threading.Channels;

namespace ResearchKit.Data;

/// <summary>Where a loader stands: the batches of earlier epochs and of this one that were handed out.</summary>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Batch">Batches of the epoch that were handed out.</param>
public readonly record struct LoaderPosition(long Epoch, long Batch);

/// <summary>Hands out batches without end, made on another thread while the last one is used.</summary>
/// <remarks>
/// Every epoch shows each example once, in an order that follows from the seed and the epoch's number alone; examples that do not
/// fill a batch at the end are left out. A loader set to the position of another with the same seed goes on exactly as that one.
/// Of several processes each can take its share: their batches side by side are the batches of one loader whose batch is that many
/// times as large.
/// </remarks>
public sealed class BatchLoader
{
    private readonly IExamples examples;
    private readonly int prefetch;
    private readonly int? seed;
    private readonly int share, shares;

    /// <param name="examples">What is handed out.</param>
    /// <param name="batchSize">Examples of a batch.</param>
    /// <param name="seed">Seed of the orders; null for the order of the numbers.</param>
    /// <param name="prefetch">Batches that are made ahead.</param>
    /// <param name="share">Which share of each batch of all processes is this loader's, from 0.</param>
    /// <param name="shares">Number of the shares; <paramref name="batchSize"/> is the size of one.</param>
    /// <exception cref="ArgumentException">There are fewer examples than a batch takes.</exception>
    public BatchLoader(IExamples examples, int batchSize, int? seed = 1337, int prefetch = 4, int share = 0, int shares = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(prefetch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(shares, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, shares);
        if (examples.Count < (long)batchSize * shares)
            throw new ArgumentException($"There are {examples.Count} examples; a batch takes {(long)batchSize * shares}.", nameof(examples));
        (this.examples, BatchSize, this.seed, this.prefetch, this.share, this.shares) = (examples, batchSize, seed, prefetch, share, shares);
    }

    /// <summary>Examples of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Batches of an epoch.</summary>
    public long BatchesPerEpoch => examples.Count / ((long)BatchSize * shares);

    /// <summary>Where the loader stands; set it before <see cref="Batches"/> to go on from there.</summary>
    public LoaderPosition Position { get; set; }

    /// <summary>The batches from <see cref="Position"/> on, without end; each belongs to who takes it.</summary>
    public IEnumerable<Batch> Batches()
    {
        var channel = Channel.CreateBounded<Batch>(new BoundedChannelOptions(prefetch) { SingleReader = true, SingleWriter = true });
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
                var batch = examples.Fetch(new ArraySegment<long>(order, (int)(((position.Batch * shares) + share) * BatchSize), BatchSize));
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
            writer.TryComplete(error);   // the reader throws it
        }
    }

    private LoaderPosition After(LoaderPosition position) =>
        position.Batch + 1 < BatchesPerEpoch ? position with { Batch = position.Batch + 1 } : new LoaderPosition(position.Epoch + 1, 0);

    private long[] Order(long epoch)
    {
        var order = new long[examples.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        if (seed is { } start) Shuffle.InPlace(order, start, epoch);
        return order;
    }
}
