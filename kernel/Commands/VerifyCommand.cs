using System.CommandLine;
using System.Globalization;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Kernel.Commands.Verifying;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands;

/// <summary>
/// <c>researchkit verify</c>: executes notebooks again and compares their outputs with the committed ones.
/// </summary>
internal static class VerifyCommand
{
    public static readonly string[] Examples =
    [
        "researchkit verify notebooks/01-train-a-gpt.ipynb",
        "researchkit verify notebooks --jobs 2 --rtol 0.01",
    ];

    private const string Description = """
        Executes notebooks again, with the parameters of the committed run, and compares their outputs with the committed ones.

        Numbers may differ by the tolerance, or by one unit of the last decimal shown. These are ignored: times, dates,
        durations, speeds, ids, hexadecimal numbers, folders, versions, and the lines of a run record that describe the
        machine. Images, charts and scripts are compared by kind and rough size only (within a factor of two), HTML by
        its visible text only, without attributes such as hover texts.
        A cell tagged 'volatile' or 'skip-verify' is run but not compared; a cell's metadata
        "verify": { "rtol": 0.05, "atol": 0.01 } sets its own tolerance.

        If the committed run was portable, the new one is portable too.

        Nothing is written. Exit code 0: as committed; 1: an output differs or a cell fails; 2: bad input.
        """;

    public static Command Create()
    {
        var options = new BatchOptions();
        var relative = new Option<string>("--rtol")
        {
            Description = Invariant($"Relative tolerance; default: {Tolerance.Default.Relative}."),
            HelpName = "NUMBER",
        };
        var absolute = new Option<string>("--atol")
        {
            Description = Invariant(
                $"Absolute tolerance, which is added to the relative one; default: {Tolerance.Default.Absolute:0e+0}."),
            HelpName = "NUMBER",
        };
        var kernels = GivenKernels.Option();
        var command = new Command("verify", Description)
        {
            options.Notebooks, relative, absolute, kernels, options.Timeout, options.Jobs,
        };
        command.SetAction((parsed, cancellation) =>
        {
            GivenKernels.Take(parsed.GetValue(kernels));
            return VerifyAsync(parsed, options, new Tolerance(
                Number("--rtol", parsed.GetValue(relative), Tolerance.Default.Relative),
                Number("--atol", parsed.GetValue(absolute), Tolerance.Default.Absolute)), cancellation);
        });
        return command;
    }

    private static async Task<int> VerifyAsync(
        ParseResult parsed, BatchOptions options, Tolerance tolerance, CancellationToken cancellation)
    {
        var (console, jobs, timeout) = (parsed.InvocationConfiguration, options.JobsOf(parsed), options.TimeoutOf(parsed));
        var notebooks = NotebookList.Of(parsed.GetRequiredValue(options.Notebooks));
        var committed = notebooks.Paths.ToDictionary(path => path, path => CommittedNotebook.Load(path, tolerance));
        PortableRun.TakeAsCommitted([.. committed.Select(one => (one.Key, one.Value.IsPortable))]);
        var folder = Directory.CreateTempSubdirectory("researchkit-verify-").FullName;
        try
        {
            var like = new RunRequest("", new Dictionary<string, string>(), Fast: false, folder) { Timeout = timeout };
            var runs = PlannedRun.All(notebooks, like, path => committed[path].Parameters);
            var comparisons = new Dictionary<string, NotebookComparison>();
            var reports = await new RunBatch(runs, jobs, console).ExecuteAsync(
                (run, report) => comparisons[run.Name] = Compare(committed[run.Name], run, report),
                cancellation).ConfigureAwait(false);

            await console.Output.WriteLineAsync().ConfigureAwait(false);
            foreach (var line in notebooks.Paths.SelectMany(path => comparisons[path].Lines()))
                await console.Output.WriteLineAsync(line).ConfigureAwait(false);
            if (BatchOptions.WasInterrupted(reports)) return ExitCodes.Interrupted;
            return comparisons.Values.All(comparison => comparison.IsSame) ? ExitCodes.Success : ExitCodes.CellFailed;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static NotebookComparison Compare(CommittedNotebook committed, PlannedRun run, RunReport report) =>
        committed.Compare(report,
            NotebookDocument.Load(File.Exists(run.Run.Folder.Notebook) ? run.Run.Folder.Notebook : run.Request.Notebook));

    private static double Number(string option, string? text, double otherwise) => text switch
    {
        null => otherwise,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0
            && double.IsFinite(number) => number,
        _ => throw new ArgumentException($"{option} {text}: expected a number, 0 or more."),
    };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
