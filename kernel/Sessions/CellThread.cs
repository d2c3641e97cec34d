using System.Collections.Concurrent;

namespace ResearchKit.Kernel.Sessions;

/// <summary>The thread that runs the cells, so that what libtorch keeps per thread lives from cell to cell.</summary>
internal sealed class CellThread : IDisposable
{
    private const int StackSize = 16 << 20;
    private readonly BlockingCollection<Action> work = [];

    public CellThread() => new Thread(Run, StackSize) { IsBackground = true, Name = "cells" }.Start();

    /// <summary>Runs it there, for the same cell as the caller's, and waits.</summary>
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

    /// <summary>Lets the thread end after what it is doing.</summary>
    public void Dispose() => work.CompleteAdding();

    private void Run()
    {
        foreach (var job in work.GetConsumingEnumerable()) job();
    }
}
