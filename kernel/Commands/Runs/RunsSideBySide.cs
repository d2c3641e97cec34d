using System.Text.Json.Nodes;
using ResearchKit.Kernel.Kit;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>Something that is not the same in all runs.</summary>
/// <param name="Part">Of the record: settings, data, packages, machine; empty for what stands in the record itself.</param>
/// <param name="Name">What.</param>
/// <param name="Values">In each run, as JSON; null where the run does not have it.</param>
internal sealed record Difference(string Part, string Name, IReadOnlyList<JsonNode?> Values);

/// <summary>A number that at least one of the runs measured.</summary>
/// <param name="Name">What.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Values">In each run; null where it was not measured.</param>
internal sealed record MeasuredRow(string Name, string Unit, IReadOnlyList<double?> Values)
{
    /// <summary>How much more than in the first run, for each run after it.</summary>
    public IEnumerable<double?> Changes => Values.Skip(1).Select(value => value - Values[0]);
}

/// <summary>Runs side by side.</summary>
internal sealed record RunsSideBySide(
    IReadOnlyList<FoundRun> Runs, IReadOnlyList<Difference> Differences, IReadOnlyList<MeasuredRow> Measured)
{
    public static RunsSideBySide Of(IReadOnlyList<FoundRun> runs)
    {
        Difference[] all =
        [
            new("", "name", [.. runs.Select(run => JsonValue.Create(run.Name))]),
            new("", "seed", [.. runs.Select(run => JsonValue.Create(run.Run?.Seed))]),
            new("", "commit", [.. runs.Select(run => JsonValue.Create(run.Process.Commit))]),
            new("", "portable", [.. runs.Select(run => JsonValue.Create(run.Process.Portable))]),
            .. Part("settings", runs, run => run.Run?.Settings ?? new Dictionary<string, object>()),
            .. Part("data", runs, run => run.Data),
            .. Part("packages", runs, run => run.Process.Packages),
            .. Part("machine", runs, run => run.Process.Machine),
        ];
        var measured = runs.SelectMany(run => run.Metrics.Select(metric => (metric.Key, metric.Value.Unit))).Distinct()
            .Select(metric => new MeasuredRow(
                metric.Key, metric.Unit, [.. runs.Select(run => Measured(run, metric.Key, metric.Unit))]));
        return new RunsSideBySide(runs, [.. all.Where(Differs)], [.. measured]);

        static double? Measured(FoundRun run, string name, string unit) =>
            run.Metrics.TryGetValue(name, out var metric) && metric.Unit == unit ? metric.Value : null;
    }

    /// <summary>What a run is called in columns: A, B, …, Z, 27, ….</summary>
    public static string Letter(int run) => run < 26 ? $"{(char)('A' + run)}" : $"{run + 1}";

    private static IEnumerable<Difference> Part<T>(
        string part, IReadOnlyList<FoundRun> runs, Func<FoundRun, IReadOnlyDictionary<string, T>> of) =>
        runs.SelectMany(run => of(run).Keys).Distinct().Select(name => new Difference(
            part, name, [.. runs.Select(run => of(run).TryGetValue(name, out var value) ? RunsJson.Node(value) : null)]));

    private static bool Differs(Difference one) => one.Values.Any(value => !JsonNode.DeepEquals(value, one.Values[0]));
}
