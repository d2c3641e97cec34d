namespace ResearchKit.Kernel.Cells;

/// <summary>Brings what cells write and show into one order and one pace, from any thread.</summary>
/// <remarks>
/// What a cell gives goes to that cell's listener, also after the cell has ended. Updates of a display come at most once per
/// interval; the last one always comes.
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

    /// <summary>One output at a time, whichever cell it is of.</summary>
    public Lock Gate { get; } = new();

    public bool IsClosed { get; private set; }

    /// <summary>Notes that a cell has text that nobody has seen yet.</summary>
    public void Wait(CellOutputs cell) => waiting.Add(cell);

    public void Shown(string displayId)
    {
        lock (Gate) updates[displayId] = new PendingUpdate { Sent = Environment.TickCount64 };
    }

    /// <summary>Replaces a display, now or when its turn comes.</summary>
    public void Update(CellOutputs cell, string displayId, Func<Formatted> value)
    {
        lock (Gate)
        {
            if (!updates.TryGetValue(displayId, out var update)) updates[displayId] = update = new PendingUpdate();
            (update.Next, update.Cell) = (value, cell);
            if (IsDue(update)) Send(displayId, update);
        }
    }

    /// <summary>Gives out what waits; of displays only what is due, where <paramref name="late"/>.</summary>
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

    /// <summary>Gives out what waits; after that nobody hears anything.</summary>
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
        cell.Send(value.Error);
    }

    private bool IsDue(PendingUpdate update) => Environment.TickCount64 - update.Sent >= interval.TotalMilliseconds;

    private sealed class PendingUpdate
    {
        public long Sent { get; set; } = long.MinValue / 2;

        public Func<Formatted>? Next { get; set; }

        public CellOutputs? Cell { get; set; }
    }
}
