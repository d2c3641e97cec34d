namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Stops a run when the process that started it closes its input, or dies: the same on every system, unlike signals.
/// </summary>
internal static class InputEnd
{
    public static async Task<int> CancelAsync(Func<CancellationToken, Task<int>> run, CancellationToken cancellation)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watch = new Thread(() => Watch(source)) { IsBackground = true, Name = "the end of the input" };
        watch.Start();
        return await run(source.Token).ConfigureAwait(false);
    }

    private static void Watch(CancellationTokenSource source)
    {
        using var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        while (input.Read(buffer) > 0) { }
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // the run ended first
        }
    }
}
