using System.IO.Pipes;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Stops a run when the process that started it closes its pipe or dies. Unlike signals, this is the same on every system.
/// </summary>
internal static class PipeEnd
{
    public static async Task<int> CancelAsync(
        string handle, Func<CancellationToken, Task<int>> run, CancellationToken cancellation)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watch = new Thread(() => Watch(handle, source)) { IsBackground = true, Name = "the end of the pipe" };
        watch.Start();
        return await run(source.Token).ConfigureAwait(false);
    }

    private static void Watch(string handle, CancellationTokenSource source)
    {
        using var pipe = new AnonymousPipeClientStream(PipeDirection.In, handle);
        while (pipe.ReadByte() >= 0) { }
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
