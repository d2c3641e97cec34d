using System.Diagnostics;
using System.IO.Pipes;
using System.Text;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Runs a notebook in a child process, because a cell can end its process, and because sessions in one process would
/// share the console, the current directory and the environment.
/// </summary>
internal static class ChildRun
{
    private const string ThreadsVariable = "OMP_NUM_THREADS";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(2);   // a process that a cell left behind keeps the pipes open

    /// <summary>Starts the child process and waits until it ends.</summary>
    /// <param name="request">What to run; its output folder must be set.</param>
    /// <param name="sharers">How many child processes run at a time and share the processors.</param>
    /// <param name="heard">Receives its stdout, line by line; null if it prints to the console of this process.</param>
    /// <param name="complained">Receives its stderr, line by line.</param>
    /// <param name="cancellation">Interrupts the run as Ctrl+C would; its outputs so far are saved.</param>
    /// <returns>Its exit code, and all that it wrote to stderr.</returns>
    public static async Task<(int ExitCode, string Complaints)> RunAsync(
        RunRequest request, int sharers, Action<string>? heard, Action<string> complained, CancellationToken cancellation)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
        var onTerminal = heard is null && TerminalProgress.IsPossible(Console.Out);
        var command = ThisProgram.Command(RunCommand.ChildArguments(request, pipe.GetClientHandleAsString(), onTerminal));
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        if (heard is not null)
        {
            start.RedirectStandardOutput = true;
            start.StandardOutputEncoding = Encoding.UTF8;
        }
        if (sharers > 1) start.Environment.TryAdd(ThreadsVariable, $"{Math.Max(1, Environment.ProcessorCount / sharers)}");

        using var process = Process.Start(start)!;
        pipe.DisposeLocalCopyOfClientHandle();
        var complaints = new StringBuilder();
        var read = Task.WhenAll(
            heard is null ? Task.CompletedTask : RelayAsync(process.StandardOutput, heard),
            RelayAsync(process.StandardError, line =>
            {
                lock (complaints) complaints.AppendLine(line);
                complained(line);
            }));
        using var stop = cancellation.Register(() => _ = StopAsync(process, pipe));
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await Task.WhenAny(read, Task.Delay(Drain, CancellationToken.None)).ConfigureAwait(false);
        lock (complaints) return (process.ExitCode, complaints.ToString().TrimEnd());
    }

    private static async Task RelayAsync(StreamReader from, Action<string> to)
    {
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line) to(line);
    }

    /// <summary>
    /// Closes the pipe, which tells the child to stop. The operating system closes it as well if this process dies.
    /// </summary>
    private static async Task StopAsync(Process process, AnonymousPipeServerStream pipe)
    {
        try
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // the process has ended and was disposed
        }
    }
}
