namespace ResearchKit.Kernel.Sessions;

/// <summary>Runs a person's code so that it can be woken from what it waits for.</summary>
/// <remarks>
/// An interrupted cell is asked by its token and by the checks in its loops; after a quarter of the grace its thread is woken
/// from its wait. A thread is never aborted: an abort inside a call of a native library can take the process with it.
/// </remarks>
internal sealed class ControlledCode
{
    private readonly Lock gate = new();
    private readonly Thread thread = Thread.CurrentThread;
    private bool ended;

    /// <summary>Runs it on this thread to its end.</summary>
    /// <exception cref="ThreadInterruptedException">It was woken from its wait.</exception>
    public static T Run<T>(Func<Task<T>> code, TimeSpan grace, CancellationToken cancellation)
    {
        var control = new ControlledCode();
        using var asked = cancellation.Register(() => _ = control.WakeAsync(grace / 4));
        try
        {
            return code().GetAwaiter().GetResult();
        }
        finally
        {
            control.End();
        }
    }

    private async Task WakeAsync(TimeSpan patience)
    {
        await Task.Delay(patience, CancellationToken.None).ConfigureAwait(false);
        lock (gate)
        {
            if (!ended) thread.Interrupt();
        }
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
