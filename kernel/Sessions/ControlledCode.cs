namespace ResearchKit.Kernel.Sessions;

/// <summary>Runs the code of a cell so that an interrupt can wake it from a wait.</summary>
/// <remarks>
/// An interrupted cell is stopped by its cancellation token and by the checks in its loops. After a quarter of
/// the grace
/// period, its thread is woken from a wait. A thread is never aborted, since that could crash a native call.
/// </remarks>
internal sealed class ControlledCode
{
    private readonly Lock gate = new();
    private readonly Thread thread = Thread.CurrentThread;
    private bool ended;

    /// <summary>Runs the code on this thread to its end.</summary>
    /// <exception cref="ThreadInterruptedException">The code was woken from a wait by an interrupt.</exception>
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

    /// <summary>Consumes a pending thread interrupt, which would otherwise hit the thread's next wait.</summary>
    private void End()
    {
        while (true)
        {
            try
            {
                lock (gate) ended = true;
                Thread.Sleep(1);   // Sleep(0) would not consume a pending interrupt
                return;
            }
            catch (ThreadInterruptedException)
            {
                continue;
            }
        }
    }
}
