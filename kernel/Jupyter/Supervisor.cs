using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Runs the kernel in a child process and reports to the front ends why it died.</summary>
/// <remarks>
/// A cell can kill its process by crashing a native library, calling exit or using up the memory. The dead
/// process itself cannot report that.
/// </remarks>
internal static class Supervisor
{
    private const int LinesKept = 30;

    /// <summary>Runs the kernel until it ends.</summary>
    /// <param name="connection">
    /// The text of the connection file; the kernel reads it from stdin, because the front end may delete the file.
    /// </param>
    /// <param name="command">
    /// The command that starts the kernel process; the handle of the pipe is appended.
    /// </param>
    /// <param name="error">Receives what the kernel process writes to stderr.</param>
    /// <param name="cancellation">Kills the kernel process.</param>
    /// <returns>The exit code of the kernel's process.</returns>
    public static async Task<int> RunAsync(
        string connection, IEnumerable<string> command, TextWriter error, CancellationToken cancellation)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        string[] all = [.. command, pipe.GetClientHandleAsString()];
        var start = new ProcessStartInfo(all[0], all[1..]) { RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment[ParentWatch.Variable] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using var kernel = Process.Start(start)!;
        pipe.DisposeLocalCopyOfClientHandle();
        await kernel.StandardInput.WriteAsync(connection).ConfigureAwait(false);
        kernel.StandardInput.Close();
        var (told, heard) = (RelayAsync(kernel.StandardError, error), ReadAsync(pipe));
        using var end = cancellation.Register(() => kernel.Kill(entireProcessTree: true));
        await kernel.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        if (!cancellation.IsCancellationRequested && await heard.ConfigureAwait(false) is var (request, isOpen)
            && (isOpen || kernel.ExitCode != 0))
            await Obituary.TellAsync(ConnectionFile.Parse(connection, "the connection file"), request, isOpen,
                Reason(kernel.ExitCode), await told.ConfigureAwait(false)).ConfigureAwait(false);
        return kernel.ExitCode;
    }

    /// <summary>What an exit code says about the end of a process.</summary>
    public static string Reason(int code) => code switch
    {
        134 => "it aborted itself (signal 6), as after a failed assertion, a stack overflow or an uncaught exception",
        137 => "it was killed (signal 9), as the system does when memory runs out",
        139 => "a native library accessed invalid memory (signal 11)",
        143 => "it was terminated (signal 15)",
        > 128 and < 160 => $"it was ended by signal {code - 128}",
        _ => $"it exited with code {code}",
    };

    private static async Task<IReadOnlyList<string>> RelayAsync(StreamReader from, TextWriter to)
    {
        var last = new Queue<string>();
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            await to.WriteLineAsync(line).ConfigureAwait(false);
            last.Enqueue(line);
            if (last.Count > LinesKept) last.Dequeue();
        }
        return [.. last];
    }

    private static async Task<(Message Request, bool IsOpen)?> ReadAsync(Stream pipe)
    {
        using var reader = new StreamReader(pipe);
        (Message, bool)? state = null;
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line) state = Supervision.Read(line, state);
        return state;
    }
}
