using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>The process that runs Python cells. It ends when this process ends.</summary>
internal sealed partial class PythonProcess : IDisposable
{
    private const int SigInt = 2, SigKill = 9, KeptLines = 20, KeptOfLine = 500;
    private readonly Process process;
    private readonly Queue<string> errors = new();
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts the process.</summary>
    /// <param name="python">The path of the Python interpreter.</param>
    /// <param name="folder">The folder for the exchange with the process.</param>
    /// <param name="work">The working directory: the notebook's folder.</param>
    public PythonProcess(string python, PythonFolder folder, string work)
    {
        var start = new ProcessStartInfo(python, [folder.Program, "-f", folder.Connection, "--HistoryManager.hist_file=:memory:"])
        {
            WorkingDirectory = work,
            RedirectStandardInput = true,    // kept open: when it closes, Python knows that this process has ended
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!OperatingSystem.IsWindows())
            start.Environment["JPY_PARENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        // suppresses a debugger warning at every start
        start.Environment.TryAdd("PYDEVD_DISABLE_FILE_VALIDATION", "1");
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) => End();
        process.OutputDataReceived += (_, _) => { };   // ignored: the output of cells arrives as messages
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Completes with a short description when the process has ended.</summary>
    public Task<string> Ended => ended.Task;

    /// <summary>The last lines of stderr.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (errors) return [.. errors];
        }
    }

    /// <summary>
    /// Sends an interrupt signal to the process and its children; returns false on Windows, which has no signals.
    /// </summary>
    public bool Interrupt()
    {
        if (OperatingSystem.IsWindows()) return false;
        Signal(SigInt);
        return true;
    }

    /// <summary>Kills the process and all its children.</summary>
    public void Kill()
    {
        if (!OperatingSystem.IsWindows()) Signal(SigKill);   // also kills orphaned processes of the group
        try
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // it has already ended
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        ended.Task.Wait(TimeSpan.FromSeconds(2));
        process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null || OfKernel().IsMatch(line)) return;
        lock (errors)
        {
            errors.Enqueue(line.Length <= KeptOfLine ? line : $"{line[..KeptOfLine]}…");
            if (errors.Count > KeptLines) errors.Dequeue();
        }
    }

    /// <summary>Kills the remaining processes of the group after the process has ended.</summary>
    private void End()
    {
        if (!OperatingSystem.IsWindows()) Signal(SigKill);
        ended.TrySetResult(Describe(process.ExitCode));
    }

    /// <summary>
    /// Sends a signal to the process group. It has no effect before the process has created its group.
    /// </summary>
    private void Signal(int signal)
    {
        if (!ended.Task.IsCompleted) _ = SendSignal(-process.Id, signal);
    }

    private static string Describe(int exitCode) => exitCode > 128 && !OperatingSystem.IsWindows()
        ? $"exit code {exitCode}: signal {exitCode - 128}{Named(exitCode - 128)}" : $"exit code {exitCode}";

    private static string Named(int signal) => signal switch
    {
        4 => " (illegal instruction)",
        6 => " (abort)",
        9 => " (killed, as the system does when memory runs out)",
        11 => " (segmentation fault)",
        15 => " (terminated)",
        _ => "",
    };

    /// <summary>
    /// Matches traceback lines of ipykernel and its libraries, which are below the cell in the report of a crash.
    /// </summary>
    [GeneratedRegex(@"^ +File "".*[/\\](IPython|ipykernel|tornado|traitlets|asyncio|start_python\.py)\b")]
    private static partial Regex OfKernel();

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
