using System.Globalization;

namespace ResearchKit.Training;

/// <summary>
/// Several runs to compare; runs with the same name count as one experiment with several seeds.
/// </summary>
/// <param name="Runs">The runs.</param>
public sealed record RunComparison(IReadOnlyList<TrainingHistory> Runs)
{
    /// <summary>The experiments: groups of runs with the same name, in order of first appearance.</summary>
    internal IReadOnlyList<RunGroup> Groups => [.. Runs.GroupBy(run => run.Name, (name, runs) => new RunGroup(name, [.. runs]))];

    /// <summary>Makes a comparison of runs.</summary>
    public static RunComparison Of(params IEnumerable<TrainingHistory> runs) => new([.. runs]);

    /// <summary>
    /// Reads runs from disk. Each is named by its name and the settings that differ, so that runs that differ only
    /// in the seed are one experiment.
    /// </summary>
    /// <param name="records">Folders of runs, or paths of their records; all named runs of each are read.</param>
    /// <param name="series">Name of the series to read of each run.</param>
    /// <param name="lossUnit">Unit of the loss.</param>
    /// <exception cref="FileNotFoundException">A record or series does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is not a run record, or a line is not a report.</exception>
    public static RunComparison Read(IEnumerable<string> records, string series = MetricLines.DefaultName,
        string lossUnit = "nats per token")
    {
        ArgumentNullException.ThrowIfNull(records);
        var read = records.Select(RunRecord.Read).SelectMany(record => record.Runs).ToList();
        var differing = read.SelectMany(run => run.Settings.Keys).Distinct()
            .Where(setting => read.Select(run => Written(run, setting)).Distinct().Count() > 1).ToList();
        return Of(read.Select(run =>
        {
            var history = run.Series(series, lossUnit);
            return history with
            {
                Name =
                string.Join(", ", differing.Select(setting => $"{setting} {Written(run, setting)}").Prepend(history.Name))
            };
        }));
    }

    /// <inheritdoc/>
    public override string ToString() => Runs.Count == 0 ? "no run" : string.Join('\n', Groups);

    private static string Written(TrainingRun run, string setting) =>
        run.Settings.TryGetValue(setting, out var value) ? Written(value) : "–";

    private static string Written(object value) => value is System.Collections.IEnumerable items and not string
        ? $"[{string.Join(", ", items.Cast<object>().Select(Written))}]"
            : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

/// <summary>Runs that differ only in their seed.</summary>
internal sealed record RunGroup(string Name, IReadOnlyList<TrainingHistory> Runs)
{
    /// <summary>Name, and the number of seeds if there are several.</summary>
    public string Title => Runs.Count == 1 ? Name : $"{Name} · {Runs.Count} seeds";

    /// <summary>Final loss, and the held-out loss and metrics of the last evaluation if there is one.</summary>
    public string Outcome
    {
        get
        {
            var losses = Runs.Where(run => run.Reports.Count > 0).Select(Last).ToList();
            var heldOut = Runs.Where(run => run.HeldOut.Any()).Select(run => run.HeldOut.Last().Loss).ToList();
            return losses.Count == 0
                ? "no step yet" : $"loss {Range(losses)}{(heldOut.Count == 0 ? "" : $", held-out {Range(heldOut)}")}{Metrics}";
        }
    }

    /// <summary>The last value of each metric, over the runs that have one.</summary>
    private string Metrics => string.Concat(Runs.SelectMany(run => run.MetricNames).Distinct()
        .Select(name => (Name: name, Values: Runs.Select(run => Last(run, name)).Where(double.IsFinite).ToList()))
        .Where(metric => metric.Values.Count > 0).Select(metric => $", {metric.Name} {Range(metric.Values)}"));

    private static double Last(TrainingHistory run, string metric) =>
        run.Metric(metric).Select(one => one.Value).LastOrDefault(double.NaN);

    public override string ToString() => $"{Title}: {Outcome}";

    /// <summary>Returns the mean loss of the last thirtieth of a run.</summary>
    private static double Last(TrainingHistory run) =>
        run.Reports.TakeLast(Math.Max(1, run.Reports.Count / 30)).Average(report => report.Loss);

    private static string Range(List<double> values) => string.Create(CultureInfo.InvariantCulture,
        $"{values.Average():0.0000}{(values.Count == 1 ? "" : $" ({values.Min():0.0000} to {values.Max():0.0000})")}");
}
