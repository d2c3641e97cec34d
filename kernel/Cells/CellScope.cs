using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// The ambient scope of a running cell: its outputs, its input, and whether it was interrupted.
/// </summary>
internal sealed class CellScope(CellOutputs outputs, Func<string, bool, string>? input, CancellationToken cancellation)
{
    private static readonly AsyncLocal<CellScope?> Local = new();
    private static volatile CellScope? latest;
    private readonly TaskCompletionSource<NativeError> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Stack<Func<ValueTask>> kept = [];
    private CancellationTokenRegistration asked;
    private int told;
    private int left;
    private volatile bool abandoned;

    /// <summary>
    /// The cell whose code runs on this thread; on a thread that no cell has started, the currently running cell.
    /// </summary>
    public static CellScope? Current => Local.Value ?? latest;

    public CancellationToken Cancellation => cancellation;

    /// <summary>The outputs of the cell; null if the cell was abandoned.</summary>
    public CellOutputs? Outputs => abandoned ? null : outputs;

    /// <summary>
    /// Requests input from the user; the arguments are the prompt and whether the answer is secret. Null if input
    /// is not available.
    /// </summary>
    public Func<string, bool, string>? Input => input;

    /// <summary>Completes when an uncaught native exception has stopped a thread of this cell.</summary>
    public Task<NativeError> Lost => lost.Task;

    /// <summary>Whether values wait to be disposed at the end of the cell.</summary>
    public bool HasKept
    {
        get
        {
            lock (kept) return kept.Count > 0;
        }
    }

    /// <summary>Keeps a value of a using declaration, to dispose it at the end of the cell.</summary>
    public void Keep(Func<ValueTask> dispose)
    {
        lock (kept) kept.Push(dispose);
    }

    /// <summary>Disposes the kept values, the latest first, also when one of them throws.</summary>
    /// <returns>True.</returns>
    public async Task<bool> DisposeKeptAsync()
    {
        Func<ValueTask> dispose;
        lock (kept)
        {
            if (kept.Count == 0) return true;
            dispose = kept.Pop();
        }
        try
        {
            await dispose().ConfigureAwait(false);
        }
        finally
        {
            await DisposeKeptAsync().ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>
    /// Reports an uncaught native exception on the calling thread; returns whether the thread belongs to a cell.
    /// </summary>
    public static bool Claim(NativeError error)
    {
        if (Current is not { } cell) return false;
        if (!cell.lost.TrySetResult(error) || latest != cell) cell.Outputs?.Write("stderr", $"{error.Message}\n");
        return true;
    }

    public void Enter()
    {
        asked = cancellation.Register(StopCheck.Begin);
        Local.Value = this;
        latest = this;
    }

    /// <summary>
    /// Ends the cell: threads that it started still write to its outputs, but threads that no cell has started no
    /// longer do.
    /// </summary>
    public void Leave()
    {
        _ = Interlocked.CompareExchange(ref latest, null, this);
        asked.Dispose();
        if (cancellation.IsCancellationRequested && !abandoned && Interlocked.Exchange(ref left, 1) == 0) StopCheck.End();
    }

    /// <summary>Abandons a cell that did not stop after an interrupt; its further output is discarded.</summary>
    public void Abandon()
    {
        abandoned = true;
        Leave();
    }

    /// <summary>
    /// Throws if the cell was interrupted; called after each output. It throws only once, so that clean-up code can
    /// write output.
    /// </summary>
    public void StopIfAsked()
    {
        if (cancellation.IsCancellationRequested && Interlocked.Exchange(ref told, 1) == 0)
            throw new OperationCanceledException("The cell was interrupted.", cancellation);
    }
}
