using System.Text.Json.Nodes;
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
internal sealed record RunsSideBySide(IReadOnlyList<FoundRun> Runs, IReadOnlyList<Difference> Differences, IReadOnlyList<MeasuredRow> Measured)
{
    public static RunsSideBySide Of(IReadOnlyList<FoundRun> runs)
    {
        var records = runs.Select(run => run.Record).ToList();
        Difference[] all =
        [
            new("", "name", [.. records.Select(record => JsonValue.Create(record.Name))]),
            new("", "seed", [.. records.Select(record => JsonValue.Create(record.Seed))]),
            new("", "commit", [.. records.Select(record => JsonValue.Create(record.Commit))]),
            .. Part("settings", records, record => record.Settings),
            .. Part("data", records, record => record.Data),
            .. Part("packages", records, record => record.Packages),
            .. Part("machine", records, record => record.Machine),
        ];
        var measured = records.SelectMany(record => record.Metrics.Select(metric => (metric.Key, metric.Value.Unit))).Distinct()
            .Select(metric => new MeasuredRow(metric.Key, metric.Unit, [.. records.Select(record => Measured(record, metric.Key, metric.Unit))]));
        return new RunsSideBySide(runs, [.. all.Where(Differs)], [.. measured]);

        static double? Measured(RunRecord record, string name, string unit) =>
            record.Metrics.TryGetValue(name, out var metric) && metric.Unit == unit ? metric.Value : null;
    }

    /// <summary>What a run is called in columns: A, B, …, Z, 27, ….</summary>
    public static string Letter(int run) => run < 26 ? $"{(char)('A' + run)}" : $"{run + 1}";

    private static IEnumerable<Difference> Part<T>(string part, List<RunRecord> records, Func<RunRecord, IReadOnlyDictionary<string, T>> of) =>
        records.SelectMany(record => of(record).Keys).Distinct().Select(name => new Difference(
            part, name, [.. records.Select(record => of(record).TryGetValue(name, out var value) ? RunsJson.Node(value) : null)]));

    private static bool Differs(Difference one) => one.Values.Any(value => !JsonNode.DeepEquals(value, one.Values[0]));
}
