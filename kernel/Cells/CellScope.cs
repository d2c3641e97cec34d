using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Cells;

/// <summary>The running cell, as the code inside it sees it: where its outputs go, and whether it should stop.</summary>
internal sealed class CellScope(CellOutputs outputs, Func<string, bool, string>? input, CancellationToken cancellation)
{
    private static readonly AsyncLocal<CellScope?> Local = new();
    private static volatile CellScope? latest;
    private readonly TaskCompletionSource<NativeError> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration asked;
    private int told;
    private int left;
    private volatile bool abandoned;

    /// <summary>The cell that this thread works for; on a thread of unknown origin, the one that runs now.</summary>
    public static CellScope? Current => Local.Value ?? latest;

    public CancellationToken Cancellation => cancellation;

    /// <summary>Where outputs go; null when nobody listens to this cell any more.</summary>
    public CellOutputs? Outputs => abandoned ? null : outputs;

    /// <summary>
    /// Asks the person at the notebook: a prompt, and whether the answer is secret. Null where nobody can be asked.
    /// </summary>
    public Func<string, bool, string>? Input => input;

    /// <summary>Completes when a thread of this cell was lost to an error of a native library.</summary>
    public Task<NativeError> Lost => lost.Task;

    /// <summary>Notes an error that stopped the calling thread; true when it belongs to a cell.</summary>
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

    /// <summary>After this the cell's leftovers still write to the session, but strangers do not.</summary>
    public void Leave()
    {
        _ = Interlocked.CompareExchange(ref latest, null, this);
        asked.Dispose();
        if (cancellation.IsCancellationRequested && !abandoned && Interlocked.Exchange(ref left, 1) == 0) StopCheck.End();
    }

    /// <summary>Cuts off a cell that did not stop when asked to.</summary>
    public void Abandon()
    {
        abandoned = true;
        Leave();
    }

    /// <summary>
    /// Stops a cell that is to be interrupted at the next thing it writes or shows. Once: clean-up may write too.
    /// </summary>
    public void StopIfAsked()
    {
        if (cancellation.IsCancellationRequested && Interlocked.Exchange(ref told, 1) == 0)
            throw new OperationCanceledException("The cell was interrupted.", cancellation);
    }
}
