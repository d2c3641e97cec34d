using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Runs the kernel as a process of its own, and tells the front ends why if that process dies.</summary>
/// <remarks>
/// A cell can end its process by a crash of a native library, by asking for it, or by using up the memory: nothing in it could
/// still speak.
/// </remarks>
internal static class Supervisor
{
    private const int LinesKept = 30;

    /// <summary>Runs the kernel until it ends.</summary>
    /// <param name="connection">
    /// The text of the front end's connection file; the kernel gets it on its stdin, as the file may vanish.
    /// </param>
    /// <param name="command">What starts the kernel itself; the pipe's handle follows.</param>
    /// <param name="error">Takes what the kernel writes to stderr.</param>
    /// <param name="cancellation">Ends the kernel.</param>
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
            await Obituary.TellAsync(ConnectionFile.Parse(connection, "the connection file"), request, isOpen, Reason(kernel.ExitCode), await told.ConfigureAwait(false)).ConfigureAwait(false);
        return kernel.ExitCode;
    }

    /// <summary>What an exit code says about the end of a process.</summary>
    public static string Reason(int code) => code switch
    {
        134 => "it aborted itself (signal 6), as after a failed check, a stack overflow or an error that nobody caught",
        137 => "it was killed (signal 9), as by the system when memory runs out",
        139 => "a native library touched memory that is not its own (signal 11)",
        143 => "it was asked to end (signal 15)",
        > 128 and < 160 => $"signal {code - 128}",
        _ => $"its code ended it with exit code {code}",
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
