using System.Collections.Concurrent;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Sessions;

/// <summary>
/// The thread that runs all cells, so that libtorch's per-thread state is kept between cells.
/// </summary>
internal sealed class CellThread : IDisposable
{
    private const int StackSize = 16 << 20;
    private readonly BlockingCollection<Action> work = [];

    public CellThread() => new Thread(Run, StackSize) { IsBackground = true, Name = "cells" }.Start();

    /// <summary>Runs a job on the cell thread with the caller's execution context, and waits for it.</summary>
    public T Run<T>(Func<T> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var flow = ExecutionContext.Capture()!;
        work.Add(() => ExecutionContext.Run(flow, _ =>
        {
            try
            {
                done.SetResult(job());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        }, null));
        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Lets the thread end after its current job.</summary>
    public void Dispose() => work.CompleteAdding();

    private void Run()
    {
        StopCheck.Watch(StackSize);
        foreach (var job in work.GetConsumingEnumerable()) job();
    }
}
