using System.CommandLine;
using ResearchKit.Kernel.Commands.Runs;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit runs</c>: lists and compares run records.</summary>
internal static class RunsCommand
{
    public const string CompareName = "compare";

    private const string Default = "runs";

    public static readonly string[] Examples =
    [
        "researchkit runs",
        "researchkit runs results --json",
        "researchkit runs compare study/20260102-150405 study/20260103-101112",
    ];

    public static readonly string[] CompareExamples =
    [
        "researchkit runs compare study/20260102-150405 study/20260103-101112",
        "researchkit runs compare results/one/run.json results/two/run.json --json",
    ];

    public static Command Create()
    {
        var folder = new Argument<string>("FOLDER")
        {
            Description = $"The folder to search for run records, at any depth; default: {Default}.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var json = Json();
        var command = new Command("runs",
            "Lists runs, newest first, with seed, commit and metrics. Exit code 2 if a record cannot be read.")
        {
            folder, json, Compare(),
        };
        command.SetAction(parsed =>
            List(parsed.GetValue(folder) ?? Default, parsed.GetValue(json), parsed.InvocationConfiguration));
        return command;
    }

    private static Command Compare()
    {
        var runs = new Argument<string[]>("RUN")
        {
            Description = $"Run folders or record files, with two or more runs in total; paths relative to {Default}, as listed, "
                + "work too.",
            Arity = new ArgumentArity(1, 100),
        };
        var json = Json();
        var command = new Command(CompareName, "Shows what differs between runs (settings, seed, data, packages, "
            + "machine, commit), and their metrics side by side.") { runs, json };
        command.SetAction(parsed =>
        {
            var found = parsed.GetRequiredValue(runs).SelectMany(run => FoundRun.Read(run, Default)).ToList();
            if (found.Count == 1) throw new ArgumentException($"{found[0].Place} has one run; expected two or more to compare.");
            var comparison = RunsSideBySide.Of(found);
            if (parsed.GetValue(json)) RunsJson.Write(comparison, parsed.InvocationConfiguration.Output);
            else RunTables.Write(comparison, parsed.InvocationConfiguration.Output);
            return ExitCodes.Success;
        });
        return command;
    }

    private static int List(string folder, bool json, InvocationConfiguration console)
    {
        var found = FoundRuns.Below(folder);
        if (json) RunsJson.Write(found, console.Output);
        else RunTables.Write(found, console.Output);
        foreach (var refused in found.Refused) console.Error.WriteLine(refused.Reason);
        return found.Refused.Count > 0 ? ExitCodes.BadInput : ExitCodes.Success;
    }

    private static Option<bool> Json() => new("--json") { Description = "Prints JSON instead of tables." };
}
