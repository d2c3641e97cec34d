using System.CommandLine;
using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Options and exit codes shared by the commands that execute notebooks.</summary>
internal sealed class BatchOptions
{
    private const double LongestTimeout = 1e6;   // seconds; .NET timers cannot wait much longer

    public BatchOptions() => Notebooks.Validators.Add(result =>
    {
        if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith('-')) is { } option)
            result.AddError($"Unrecognized command or argument '{option.Value}'.");
    });

    public Argument<string[]> Notebooks { get; } = new("NOTEBOOKS")
    {
        Description = "The .ipynb files, or folders, which are searched for notebooks at any depth (except in "
            + "runs/ and hidden folders).",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<string> Jobs { get; } = new("--jobs", "-j")
    {
        Description = "How many notebooks run at a time, each in a process of its own; default: 1. With several, each "
            + "gets a share of the processors (OMP_NUM_THREADS, unless it is set), which can change the last digits of sums.",
        HelpName = "N",
    };

    public Option<string> Timeout { get; } = new("--timeout")
    {
        Description = "The time limit of each cell. A cell that exceeds it is interrupted and counts as failed.",
        HelpName = "SECONDS",
    };

    public int JobsOf(ParseResult parsed) => parsed.GetValue(Jobs) switch
    {
        null => 1,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var jobs) && jobs >= 1 => jobs,
        var text => throw new ArgumentException($"--jobs {text}: expected a whole number, 1 or more."),
    };

    public TimeSpan? TimeoutOf(ParseResult parsed) => parsed.GetValue(Timeout) switch
    {
        null => null,
        var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0
            and <= LongestTimeout
            => TimeSpan.FromSeconds(seconds),
        var text => throw new ArgumentException($"--timeout {text}: expected seconds, more than 0 and at most 1,000,000."),
    };

    public static bool WasInterrupted(IEnumerable<RunReport> reports) =>
        reports.Any(report => report.Status is RunStatus.Interrupted or RunStatus.NotStarted);

    public static int ExitCodeOf(IReadOnlyList<RunReport> reports) =>
        WasInterrupted(reports) ? ExitCodes.Interrupted
        : reports.All(report => report.Status == RunStatus.Succeeded) ? ExitCodes.Success
        : ExitCodes.CellFailed;
}
