namespace ResearchKit.Kernel.Cells;

/// <summary>Orders the outputs of cells from all threads, and limits the rate of display updates.</summary>
/// <remarks>
/// Each output goes to the listener of its cell, even after the cell has ended. A display is updated at most
/// once per
/// interval, and the last update is always sent.
/// </remarks>
internal sealed class SessionOutputs : IDisposable
{
    private readonly Dictionary<string, PendingUpdate> updates = new(StringComparer.Ordinal);
    private readonly HashSet<CellOutputs> waiting = [];
    private readonly TimeSpan interval;
    private readonly Timer timer;

    public SessionOutputs(TimeSpan interval)
    {
        this.interval = interval;
        timer = new Timer(_ => Flush(late: true), null, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
    }

    /// <summary>The lock that serializes the outputs of all cells.</summary>
    public Lock Gate { get; } = new();

    public bool IsClosed { get; private set; }

    /// <summary>Registers a cell with buffered text that must be flushed.</summary>
    public void Wait(CellOutputs cell) => waiting.Add(cell);

    public void Shown(string displayId)
    {
        lock (Gate) updates[displayId] = new PendingUpdate { Sent = Environment.TickCount64 };
    }

    /// <summary>Updates a display, now or when the update interval has passed.</summary>
    public void Update(CellOutputs cell, string displayId, Func<Formatted> value)
    {
        lock (Gate)
        {
            if (!updates.TryGetValue(displayId, out var update)) updates[displayId] = update = new PendingUpdate();
            (update.Next, update.Cell) = (value, cell);
            if (IsDue(update)) Send(displayId, update);
        }
    }

    /// <summary>
    /// Flushes pending outputs; with <paramref name="late"/>, only those display updates whose interval has passed.
    /// </summary>
    public void Flush(bool late = false)
    {
        lock (Gate)
        {
            foreach (var cell in waiting) cell.FlushText();
            waiting.Clear();
            foreach (var (displayId, update) in updates.Where(update => update.Value.Next is not null).ToList())
                if (!late || IsDue(update)) Send(displayId, update);
        }
    }

    /// <summary>Flushes pending outputs and discards all later ones.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            Flush();
            IsClosed = true;
        }
        timer.Dispose();
    }

    private static void Send(string displayId, PendingUpdate update)
    {
        var (next, cell) = (update.Next!, update.Cell!);
        (update.Next, update.Cell) = (null, null);
        var value = next();
        update.Sent = Environment.TickCount64;
        cell.Send(new UpdateOutput(value.Data, displayId));
        cell.Send(value.Note);
    }

    private bool IsDue(PendingUpdate update) => Environment.TickCount64 - update.Sent >= interval.TotalMilliseconds;

    private sealed class PendingUpdate
    {
        public long Sent { get; set; } = long.MinValue / 2;

        public Func<Formatted>? Next { get; set; }

        public CellOutputs? Cell { get; set; }
    }
}
