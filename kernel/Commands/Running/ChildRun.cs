using System.Diagnostics;
using System.Text;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// A run in a process of its own, for sessions of one process share the console, the folder and the environment.
/// </summary>
internal static class ChildRun
{
    private const string ThreadsVariable = "OMP_NUM_THREADS";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Runs the notebook to its end.</summary>
    /// <param name="request">What to run; it names its output folder.</param>
    /// <param name="sharers">How many run at a time and share the processors.</param>
    /// <param name="heard">Takes what it says, line by line.</param>
    /// <param name="cancellation">Stops it as Ctrl+C would, so that it saves what there is.</param>
    /// <returns>Its exit code, and what it complained of.</returns>
    public static async Task<(int ExitCode, string Complaints)> RunAsync(
        RunRequest request, int sharers, Action<string> heard, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        var command = ThisProgram.Command(RunCommand.ChildArguments(request));
        start.FileName = command[0];
        foreach (var argument in command[1..]) start.ArgumentList.Add(argument);
        if (sharers > 1) start.Environment.TryAdd(ThreadsVariable, $"{Math.Max(1, Environment.ProcessorCount / sharers)}");

        using var process = new Process { StartInfo = start };
        var complaints = new StringBuilder();
        process.OutputDataReceived += (_, line) => { if (line.Data is { } text) heard(text); };
        process.ErrorDataReceived += (_, line) => { if (line.Data is { } text) lock (complaints) complaints.AppendLine(text); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var stop = cancellation.Register(() => _ = StopAsync(process));
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        lock (complaints) return (process.ExitCode, complaints.ToString().TrimEnd());
    }

    /// <summary>The end of its input is the child's sign to stop; it has that sign too when this process dies.</summary>
    private static async Task StopAsync(Process process)
    {
        try
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // it has ended and its run was seen to the end
        }
    }
}
