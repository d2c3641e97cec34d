using System.Collections.Concurrent;

namespace ResearchKit.Kernel.Sessions;

/// <summary>The thread that runs the cells, so that what libtorch keeps per thread lives from cell to cell.</summary>
internal sealed class CellThread : IDisposable
{
    private const int StackSize = 16 << 20;
    private readonly BlockingCollection<Action> work = [];

    public CellThread() => new Thread(Run, StackSize) { IsBackground = true, Name = "cells" }.Start();

    /// <summary>Runs it there; the task completes when it has ended.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                done.SetResult(job().GetAwaiter().GetResult());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Lets the thread end after what it is doing.</summary>
    public void Dispose() => work.CompleteAdding();

    private void Run()
    {
        foreach (var job in work.GetConsumingEnumerable()) job();
    }
}
