using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>A field of the run record that is not the same in all runs.</summary>
/// <param name="Part">
/// The section of the record: settings, data, packages or machine; empty for a top-level field.
/// </param>
/// <param name="Name">The name of the field.</param>
/// <param name="Values">The value in each run, as JSON; null if the run does not have the field.</param>
internal sealed record Difference(string Part, string Name, IReadOnlyList<JsonNode?> Values);

/// <summary>A metric of at least one of the runs.</summary>
/// <param name="Name">The name of the metric.</param>
/// <param name="Unit">The unit of the metric.</param>
/// <param name="Values">The value in each run; null if the run did not measure it.</param>
internal sealed record MeasuredRow(string Name, string Unit, IReadOnlyList<double?> Values)
{
    /// <summary>The differences from the first run, for each later run.</summary>
    public IEnumerable<double?> Changes => Values.Skip(1).Select(value => value - Values[0]);
}

/// <summary>A comparison of several runs: the fields that differ, and all metrics.</summary>
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

    /// <summary>Returns the column heading of a run by its index: A, B, …, Z, 27, ….</summary>
    public static string Letter(int run) => run < 26 ? $"{(char)('A' + run)}" : $"{run + 1}";

    private static IEnumerable<Difference> Part<T>(
        string part, IReadOnlyList<FoundRun> runs, Func<FoundRun, IReadOnlyDictionary<string, T>> of) =>
        runs.SelectMany(run => of(run).Keys).Distinct().Select(name => new Difference(
            part, name, [.. runs.Select(run => of(run).TryGetValue(name, out var value) ? RunsJson.Node(value) : null)]));

    private static bool Differs(Difference one) => one.Values.Any(value => !JsonNode.DeepEquals(value, one.Values[0]));
}
