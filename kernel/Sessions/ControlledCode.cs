using System.Runtime;

namespace ResearchKit.Kernel.Sessions;

/// <summary>Runs a person's code so that it can be stopped even where it listens to nothing.</summary>
/// <remarks>
/// It is asked in three steps: by the cell's token; after a quarter of the grace its thread is woken from what it waits for; after
/// half of it the thread is aborted. Native code, a <c>finally</c>, and what runs on other threads cannot be stopped so. Only the
/// cell's own code runs in here: an abort in the middle of the compiler may take the process with it.
/// </remarks>
internal sealed class ControlledCode
{
    private readonly Lock gate = new();
    private readonly Thread thread = Thread.CurrentThread;
    private bool ended;

    /// <summary>Runs it on this thread to its end.</summary>
    /// <exception cref="OperationCanceledException">It was aborted.</exception>
    /// <exception cref="ThreadInterruptedException">It was woken from its wait.</exception>
    public static T Run<T>(Func<Task<T>> code, TimeSpan grace, CancellationToken cancellation)
    {
        var control = new ControlledCode();
        var abort = new CancellationTokenSource();
        using var asked = cancellation.Register(() => _ = control.InsistAsync(abort, grace));
        T result = default!;
        try
        {
#pragma warning disable SYSLIB0046 // meant for programs that run a person's code as this one does, and for nothing else
            ControlledExecution.Run(() => result = code().GetAwaiter().GetResult(), abort.Token);
#pragma warning restore SYSLIB0046
            return result;
        }
        finally
        {
            control.End();
        }
    }

    private async Task InsistAsync(CancellationTokenSource abort, TimeSpan grace)
    {
        await Task.Delay(grace / 4, CancellationToken.None).ConfigureAwait(false);
        lock (gate)
        {
            if (!ended) thread.Interrupt();
        }
        await Task.Delay(grace / 4, CancellationToken.None).ConfigureAwait(false);
        await abort.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>An interrupt that found the thread busy would else hit what it waits for next.</summary>
    private void End()
    {
        while (true)
        {
            try
            {
                lock (gate) ended = true;
                Thread.Sleep(1);   // a sleep of 0 would not notice
                return;
            }
            catch (ThreadInterruptedException)
            {
                continue;
            }
        }
    }
}
