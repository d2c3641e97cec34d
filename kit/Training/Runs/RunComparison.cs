using System.Globalization;

namespace ResearchKit.Training;

/// <summary>Runs beside each other; runs of one name are taken for one experiment with several seeds.</summary>
/// <param name="Runs">The runs.</param>
public sealed record RunComparison(IReadOnlyList<TrainingHistory> Runs)
{
    /// <summary>The experiments: runs of one name, in the order in which the names come.</summary>
    internal IReadOnlyList<RunGroup> Groups => [.. Runs.GroupBy(run => run.Name, (name, runs) => new RunGroup(name, [.. runs]))];

    /// <summary>Runs side by side.</summary>
    public static RunComparison Of(params IEnumerable<TrainingHistory> runs) => new([.. runs]);

    /// <summary>Runs from disk: each is called by its name and by the settings that differ, so that runs with other seeds alone are one experiment.</summary>
    /// <param name="records">Folders of runs, or their records; all named runs of each.</param>
    /// <param name="series">Which series of each.</param>
    /// <param name="lossUnit">Unit of the loss.</param>
    /// <exception cref="FileNotFoundException">There is no such record or series.</exception>
    /// <exception cref="InvalidDataException">A file is no record, or a line no report.</exception>
    public static RunComparison Read(IEnumerable<string> records, string series = MetricLines.DefaultName, string lossUnit = "nats per token")
    {
        ArgumentNullException.ThrowIfNull(records);
        var read = records.Select(RunRecord.Read).SelectMany(record => record.Runs).ToList();
        var differing = read.SelectMany(run => run.Settings.Keys).Distinct()
            .Where(setting => read.Select(run => Written(run, setting)).Distinct().Count() > 1).ToList();
        return Of(read.Select(run =>
        {
            var history = run.Series(series, lossUnit);
            return history with { Name = string.Join(", ", differing.Select(setting => $"{setting} {Written(run, setting)}").Prepend(history.Name)) };
        }));
    }

    /// <inheritdoc/>
    public override string ToString() => Runs.Count == 0 ? "no run" : string.Join('\n', Groups);

    private static string Written(TrainingRun run, string setting) => run.Settings.TryGetValue(setting, out var value) ? Written(value) : "–";

    private static string Written(object value) => value is System.Collections.IEnumerable items and not string
        ? $"[{string.Join(", ", items.Cast<object>().Select(Written))}]" : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

/// <summary>Runs that differ in nothing but their seed.</summary>
internal sealed record RunGroup(string Name, IReadOnlyList<TrainingHistory> Runs)
{
    /// <summary>Name, and the number of seeds where there are several.</summary>
    public string Title => Runs.Count == 1 ? Name : $"{Name} · {Runs.Count} seeds";

    /// <summary>Where the runs ended: loss, and the held-out loss where there is one.</summary>
    public string Outcome
    {
        get
        {
            var losses = Runs.Where(run => run.Reports.Count > 0).Select(Last).ToList();
            var heldOut = Runs.Where(run => run.HeldOut.Any()).Select(run => run.HeldOut.Last().Loss).ToList();
            return losses.Count == 0 ? "no step yet" : $"loss {Range(losses)}{(heldOut.Count == 0 ? "" : $", held-out {Range(heldOut)}")}";
        }
    }

    public override string ToString() => $"{Title}: {Outcome}";

    /// <summary>The mean loss of the last thirtieth of a run.</summary>
    private static double Last(TrainingHistory run) => run.Reports.TakeLast(Math.Max(1, run.Reports.Count / 30)).Average(report => report.Loss);

    private static string Range(List<double> values) => string.Create(CultureInfo.InvariantCulture,
        $"{values.Average():0.0000}{(values.Count == 1 ? "" : $" ({values.Min():0.0000} to {values.Max():0.0000})")}");
}
