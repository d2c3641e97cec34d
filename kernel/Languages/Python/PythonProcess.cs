using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>The process that Python cells run in. It ends with this one.</summary>
internal sealed partial class PythonProcess : IDisposable
{
    private const int SigInt = 2, SigKill = 9, KeptLines = 20, KeptOfLine = 500;
    private readonly Process process;
    private readonly Queue<string> errors = new();
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts it.</summary>
    /// <param name="python">The program.</param>
    /// <param name="folder">What it shares with this process.</param>
    /// <param name="work">Its current folder: the notebook's.</param>
    public PythonProcess(string python, PythonFolder folder, string work)
    {
        var start = new ProcessStartInfo(python, [folder.Program, "-f", folder.Connection, "--HistoryManager.hist_file=:memory:"])
        {
            WorkingDirectory = work,
            RedirectStandardInput = true,    // its end tells Python that this process is gone
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!OperatingSystem.IsWindows())
            start.Environment["JPY_PARENT_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        // else every start warns of a debugger that nobody asked for
        start.Environment.TryAdd("PYDEVD_DISABLE_FILE_VALIDATION", "1");
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) => End();
        process.OutputDataReceived += (_, _) => { };   // what Python prints comes as messages
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Completes when the process has ended, with how it did in a few words.</summary>
    public Task<string> Ended => ended.Task;

    /// <summary>The last lines that it wrote past its cells' outputs.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (errors) return [.. errors];
        }
    }

    /// <summary>Interrupts what it runs, and what that has started; false where there are no signals.</summary>
    public bool Interrupt()
    {
        if (OperatingSystem.IsWindows()) return false;
        Signal(SigInt);
        return true;
    }

    /// <summary>Ends it at once, with all that it has started.</summary>
    public void Kill()
    {
        if (!OperatingSystem.IsWindows()) Signal(SigKill);   // the group has also what has lost its parent
        try
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // it ended by itself meanwhile
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

    /// <summary>What it has started does not outlive it.</summary>
    private void End()
    {
        if (!OperatingSystem.IsWindows()) Signal(SigKill);
        ended.TrySetResult(Describe(process.ExitCode));
    }

    /// <summary>To its whole group. Until it has made one of its own there is none, and nothing happens.</summary>
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

    /// <summary>The frames below the cell in the traceback of a crash.</summary>
    [GeneratedRegex(@"^ +File "".*[/\\](IPython|ipykernel|tornado|traitlets|asyncio|start_python\.py)\b")]
    private static partial Regex OfKernel();

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
