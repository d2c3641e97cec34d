using System.CommandLine;
using System.Globalization;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit run</c>: executes notebooks from top to bottom and saves their outputs.</summary>
internal static class RunCommand
{
    public static readonly string[] Examples =
    [
        "researchkit run notebooks/01-train-a-gpt.ipynb",
        "researchkit run notebooks/01-train-a-gpt.ipynb -p steps=100 -p learningRate=0.001",
        "researchkit run notebooks/01-train-a-gpt.ipynb --in-place",
        "researchkit run study.ipynb --output results/study",
        "researchkit run notebooks --fast --jobs 2 --timeout 600 --junit results.xml",
        "researchkit run study.ipynb --kernels runs/study/20261130-101500",
        "researchkit run notebooks/01-train-a-gpt.ipynb --portable --in-place",
        "mpirun -n 4 researchkit run study.ipynb",
    ];

    public static Command Create()
    {
        var options = new RunOptions();
        var command = new Command("run", "Executes notebooks. Writes each one with its outputs, an HTML page of it, "
            + "and a record of the run. Exit code 1 if a cell failed.");
        options.AddTo(command);
        command.SetAction((parsed, cancellation) => parsed.GetValue(options.Child) is { } pipe
            ? PipeEnd.CancelAsync(pipe, token => RunAsync(parsed, options, token), cancellation)
            : RunAsync(parsed, options, cancellation));
        return command;
    }

    /// <summary>Returns the arguments with which a batch run starts a child process for one notebook.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="pipe">The handle of a pipe that ends when the run should.</param>
    /// <param name="onTerminal">Whether it prints to a terminal that can redraw.</param>
    public static string[] ChildArguments(RunRequest request, string pipe, bool onTerminal) =>
    [
        "run", Path.GetFullPath(request.Notebook), "--until-pipe-ends", pipe, "--output", request.Output!,
        .. request.Parameters.SelectMany(setting => new[] { "-p", $"{setting.Key}={setting.Value}" }),
        .. onTerminal ? ["--on-terminal"] : Array.Empty<string>(),
        .. request.Fast ? ["--fast"] : Array.Empty<string>(),
        .. request.KeepGoing ? ["--keep-going"] : Array.Empty<string>(),
        .. request.Timeout is { } limit ? ["--timeout", limit.TotalSeconds.ToString("R", CultureInfo.InvariantCulture)]
            : Array.Empty<string>(),
    ];

    private static async Task<int> RunAsync(ParseResult parsed, RunOptions options, CancellationToken cancellation)
    {
        var (console, inPlace, junit) = (
            parsed.InvocationConfiguration, parsed.GetValue(options.Place), parsed.GetValue(options.Junit));
        if (inPlace && parsed.GetValue(options.Output) is { } both)
            throw new ArgumentException($"--in-place and --output {both} exclude each other; expected one.");
        if (parsed.GetValue(options.OnTerminal)) TerminalProgress.Expect();
        PortableRun.Take(parsed.GetValue(options.Portable), parsed.GetValue(options.Kernels));
        GivenKernels.Take(parsed.GetValue(options.Kernels));
        var jobs = options.Batch.JobsOf(parsed);
        var like = new RunRequest("", Settings(parsed.GetValue(options.Parameters) ?? []), parsed.GetValue(options.Fast),
            parsed.GetValue(options.Output))
        {
            KeepGoing = parsed.GetValue(options.KeepGoing),
            Timeout = options.Batch.TimeoutOf(parsed),
        };
        if (junit is not null) WritablePlace.RequireFile(junit, $"--junit {junit}");
        var notebooks = NotebookList.Of(parsed.GetRequiredValue(options.Batch.Notebooks));
        var process = RunRank.FromEnvironment();
        var isChild = parsed.GetValue(options.Child) is not null;
        if (process.WorldSize > 1 && !notebooks.IsOne)
            throw new ArgumentException($"{process.WorldSize} processes were started together; expected one notebook file, "
                + $"not {string.Join(", ", notebooks.Paths)}.");
        if (!process.IsFirst)
            return await FollowingRun.ExecuteAsync(notebooks, like, process, console, cancellation).ConfigureAwait(false);
        if (inPlace) foreach (var path in notebooks.Paths) WritablePlace.RequireFile(path, $"--in-place {path}");
        var runs = PlannedRun.All(notebooks, like);

        var left = new List<string>();
        var batch = new RunBatch(runs, jobs, console) { Process = process, IsHere = isChild || !ThisProgram.IsEntry };
        var reports = await batch.ExecuteAsync(
            (run, report) =>
            {
                if (inPlace
                && InPlace.Write(run.Request.Notebook, report, run.Run.Folder) is { } why) left.Add(why);
            },
            cancellation).ConfigureAwait(false);

        if (junit is not null) JUnitReport.Write(junit, reports);
        foreach (var why in left) await console.Error.WriteLineAsync(why).ConfigureAwait(false);
        if (!isChild && BatchOptions.WasInterrupted(reports))
            await console.Error.WriteLineAsync("Interrupted; what was done is saved.").ConfigureAwait(false);
        if (!notebooks.IsOne) SummaryTable.Write(reports, console.Output);
        if (!isChild) await WriteFilesAsync(runs, notebooks, junit, console.Output).ConfigureAwait(false);
        return BatchOptions.ExitCodeOf(reports);
    }

    /// <summary>
    /// Prints what was written: the files of a single run, the folders of several runs, and the JUnit file.
    /// </summary>
    private static async Task WriteFilesAsync(
        IReadOnlyList<PlannedRun> runs, NotebookList notebooks, string? junit, TextWriter output)
    {
        if (!notebooks.IsOne) await output.WriteLineAsync().ConfigureAwait(false);
        var written = runs.Select(run => run.Run.Folder).Where(folder => File.Exists(folder.Record));
        foreach (var file in written.SelectMany(folder =>
            notebooks.IsOne ? [folder.Notebook, folder.Page, folder.Record] : new[] { folder.FullPath }))
            await output.WriteLineAsync(file).ConfigureAwait(false);
        if (junit is not null) await output.WriteLineAsync(Path.GetFullPath(junit)).ConfigureAwait(false);
    }

    private static Dictionary<string, string> Settings(string[] given)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in given)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new ArgumentException($"-p {setting}: expected name=value, such as -p steps=100.");
            settings[setting[..at].Trim()] = setting[(at + 1)..];
        }
        return settings;
    }
}
