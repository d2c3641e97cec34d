namespace ResearchKit.Kernel.Sessions;

/// <summary>Brings what cells write and show into one order and one pace, from any thread.</summary>
/// <remarks>
/// Between cells there is nobody to report to: text waits, and a display's last state waits. Updates of a display come at most
/// once per interval; the last one always comes, at the latest when the cell ends.
/// </remarks>
internal sealed class SessionOutputs : IDisposable
{
    private readonly Lock gate = new();
    private readonly StreamBuffer streams = new();
    private readonly Dictionary<string, PendingUpdate> updates = new(StringComparer.Ordinal);
    private readonly TimeSpan interval;
    private readonly Timer timer;
    private Action<Output>? report;
    private ErrorOutput? firstError;

    public SessionOutputs(TimeSpan interval)
    {
        this.interval = interval;
        timer = new Timer(_ => FlushStreams(), null, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
    }

    public void Begin(Action<Output> receiver)
    {
        lock (gate)
        {
            report = receiver;
            firstError = null;
            Flush();
        }
    }

    /// <summary>Gives out what waits and stops reporting; returns the cell's first error.</summary>
    public ErrorOutput? End()
    {
        lock (gate)
        {
            Flush();
            report = null;
            return firstError;
        }
    }

    public void Write(string stream, ReadOnlySpan<char> text)
    {
        lock (gate)
        {
            foreach (var full in streams.Write(stream, text)) report?.Invoke(full);
        }
    }

    public void Show(Formatted value, string displayId)
    {
        lock (gate)
        {
            Send(new DisplayOutput(value.Data, displayId));
            Send(value.Error);
            updates[displayId] = new PendingUpdate { Sent = Environment.TickCount64 };
        }
    }

    /// <summary>Replaces a display, now or when its turn comes.</summary>
    public void Update(object? value, IReadOnlyList<string> mimeTypes, string displayId)
    {
        lock (gate)
        {
            if (!updates.TryGetValue(displayId, out var update)) updates[displayId] = update = new PendingUpdate();
            // a disposable value may be gone when its turn comes
            update.Next = value is IDisposable ? Remembered(Formatted.Of(value, mimeTypes)) : () => Formatted.Of(value, mimeTypes);
            if (report is not null && Environment.TickCount64 - update.Sent >= interval.TotalMilliseconds) SendUpdate(displayId, update);
        }
    }

    public void Send(Output? output)
    {
        if (output is null) return;
        lock (gate)
        {
            if (report is null) return;
            if (output is ErrorOutput error) firstError ??= error;
            if (streams.Take() is { } text) report(text);
            report(output);
        }
    }

    public void Dispose() => timer.Dispose();

    private static Func<Formatted> Remembered(Formatted value) => () => value;

    private void Flush()
    {
        FlushStreams();
        foreach (var (displayId, update) in updates.ToList()) SendUpdate(displayId, update);
    }

    private void FlushStreams()
    {
        lock (gate)
        {
            if (report is not null && streams.Take() is { } text) report(text);
        }
    }

    private void SendUpdate(string displayId, PendingUpdate update)
    {
        if (update.Next is not { } next) return;
        update.Next = null;
        var value = next();
        update.Sent = Environment.TickCount64;
        Send(new UpdateOutput(value.Data, displayId));
        Send(value.Error);
    }

    private sealed class PendingUpdate
    {
        public long Sent { get; set; } = long.MinValue / 2;

        public Func<Formatted>? Next { get; set; }
    }
}
