using System.Diagnostics;
using System.Globalization;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.Python;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>Which Python is taken, what it leaves behind, and when it ends.</summary>
[Collection(OtherPrograms.Name)]
public sealed class PythonProcessTests : IDisposable
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task Without_ipykernel_the_error_lists_what_was_tried_and_how_to_install_it()
    {
        SkipOnWindows();
        var bare = FakePython("bare", "echo 3.9 no");
        var error = await Assert.ThrowsAsync<CellException>(() => FindAsync(new() { ["RESEARCHKIT_PYTHON"] = bare }, []));
        Assert.Equal("PythonMissing", error.Kind);
        Assert.Contains($"   {bare} (RESEARCHKIT_PYTHON): Python 3.9 without ipykernel", error.Traceback);
        Assert.Contains($"{bare} -m pip install ipykernel", error.Traceback[^1], StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<CellException>(() =>
            FindAsync(new() { ["RESEARCHKIT_PYTHON"] = folder.PathTo("nothing") }, []));
        Assert.Contains(error.Traceback, line =>
            line.EndsWith("(RESEARCHKIT_PYTHON): cannot be started", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task RESEARCHKIT_PYTHON_has_priority_over_the_virtual_environment_and_that_over_PATH()
    {
        SkipOnWindows();
        var (chosen, active, onPath) =
            (FakePython("chosen", "echo 3.12 yes"), FakePython("env/bin/python", "echo 3.12 yes"),
            FakePython("path/python3", "echo 3.12 yes"));
        FakePython("bare/bin/python", "echo 3.9 no");
        var path = $"{folder.PathTo("nowhere")}:{folder.PathTo("path")}";
        var notes = new List<string>();
        Assert.Equal(chosen, await FindAsync(new()
        {
            ["RESEARCHKIT_PYTHON"] = chosen,
            ["VIRTUAL_ENV"] = folder.PathTo("env"),
            ["PATH"] = path
        }, notes));
        Assert.Equal(active, await FindAsync(new() { ["VIRTUAL_ENV"] = folder.PathTo("env"), ["PATH"] = path }, notes));
        Assert.Equal(onPath, await FindAsync(new() { ["PATH"] = path }, notes));
        Assert.Empty(notes);
        Assert.Equal(onPath, await FindAsync(new() { ["VIRTUAL_ENV"] = folder.PathTo("bare"), ["PATH"] = path }, notes));
        Assert.Contains("the active environment has no ipykernel", Assert.Single(notes), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Shared_files_are_private_and_files_and_processes_are_removed_at_the_end()
    {
        if (OperatingSystem.IsWindows()) throw new SkipException("File modes are Unix's.");
        string shared;
        int id;
        using (var python = new PythonSession())
        {
            var told = (await python.PrintedAsync("import os, sys, stat, subprocess\nfolder = "
                + "sys.modules['_researchkit'].FOLDER\nprint(os.getpid(), subprocess.Popen(['sleep', '100']).pid, folder)"))
                .Split();
            (id, var child, shared) =
                (int.Parse(told[0], CultureInfo.InvariantCulture), int.Parse(told[1], CultureInfo.InvariantCulture), told[2]);
            await python.Language.SetAsync("x", new[] { 1, 2 }, default);
            foreach (var path in Directory.EnumerateFiles(shared).Append(shared))
                Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & Others);
            Assert.Equal(["connection.json", "start_python.py"],
                Directory.EnumerateFiles(shared).Select(Path.GetFileName).Order());
            Assert.True(IsAlive(id) && IsAlive(child));
            python.Language.Dispose();
            Assert.False(IsAlive(id));
            Assert.True(SpinWait.SpinUntil(() => !IsAlive(child), TimeSpan.FromSeconds(60)), "What Python had started lives on.");
        }
        Assert.False(Directory.Exists(shared));
    }

    [SkippableFact]
    public async Task Python_ends_and_cleans_up_when_its_standard_input_is_closed()
    {
        SkipOnWindows();
        using var python = new PythonSession();
        var told = (await python.PrintedAsync("import sys\nprint(sys.executable, sys.modules['_researchkit'].FOLDER)")).Split();
        var other = folder.File("other/start_python.py", File.ReadAllText(Path.Combine(told[1], "start_python.py")));
        var connection = folder.PathTo("other/connection.json");
        using var process = Process.Start(new ProcessStartInfo(told[0], [other, "-f", connection])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        })!;
        SpinWait.SpinUntil(() => File.Exists(connection) || process.HasExited, TimeSpan.FromSeconds(120));
        Assert.True(File.Exists(connection),
            process.HasExited ? $"Python ended with {process.ExitCode}: {await process.StandardError.ReadToEndAsync()}"
            : "Python did not start.");
        process.StandardInput.Close();   // as the system does when a process ends, however that came
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), "Python lives on.");
        Assert.False(Directory.Exists(folder.PathTo("other")));
    }

    [SkippableFact]
    public async Task A_second_interrupt_kills_Python_if_a_cell_does_not_stop()
    {
        SkipOnWindows();
        using var python = new PythonSession();
        using var first = new CancellationTokenSource();
        var stubborn = python.RunAsync("import time\nprint('begun')\nwhile True:\n    try: time.sleep(100)\n    except "
            + "KeyboardInterrupt: print('heard')", first.Token);
        while (!python.Text.Contains("begun", StringComparison.Ordinal)) await Task.Delay(20);
        await first.CancelAsync();
        while (!python.Text.Contains("heard", StringComparison.Ordinal)) await Task.Delay(20);
        Assert.False(stubborn.IsCompleted);
        using var second = new CancellationTokenSource();
        var waiting = python.RunAsync("1", second.Token);
        Assert.True(SpinWait.SpinUntil(() => python.Notes.Count > 0, TimeSpan.FromSeconds(60)));
        Assert.Contains("Python still runs cell 1", python.Notes[0], StringComparison.Ordinal);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Contains("signal 9", (await Assert.ThrowsAsync<CellException>(() => stubborn)).Message, StringComparison.Ordinal);
        Assert.Equal("1\n", await python.PrintedAsync("print(1)"));
    }

    private static void SkipOnWindows() => Skip.If(OperatingSystem.IsWindows(), "Signals, shells and file modes are Unix's.");

    private static Task<string> FindAsync(Dictionary<string, string> environment, List<string> notes) =>
        PythonFinder.FindAsync(environment.GetValueOrDefault, notes.Add, CancellationToken.None);

    private static bool IsAlive(int id)
    {
        var status = $"/proc/{id}/stat";
        try
        {
            return Directory.Exists("/proc") ? File.Exists(status) && File.ReadAllText(status).Split(") ")[1][0] != 'Z'
                : !Process.GetProcessById(id).HasExited;
        }
        catch (Exception gone) when (gone is IOException or ArgumentException)
        {
            return false;
        }
    }

    private string FakePython(string name, string script)
    {
        var path = folder.File(name, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
