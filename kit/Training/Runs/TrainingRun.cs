using System.Globalization;
using System.Text.Json.Serialization;

namespace ResearchKit.Training;

/// <summary>A number that a run measured.</summary>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit, such as "nats per character".</param>
[method: JsonConstructor]
public readonly record struct Measurement(double Value, string Unit);

/// <summary>One named run of a record: what is needed to repeat an experiment and to compare it.</summary>
public sealed record TrainingRun
{
    /// <summary>Name of the experiment.</summary>
    public required string Name { get; init; }

    /// <summary>Start time, in UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>Seed of all random numbers of the experiment.</summary>
    public required long Seed { get; init; }

    /// <summary>The settings of the experiment by name.</summary>
    public required IReadOnlyDictionary<string, object> Settings { get; init; }

    /// <summary>Names of the data sets it uses. The checksums of their files are in <see cref="RunProcess.Data"/>.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>Measured numbers by name.</summary>
    public IReadOnlyDictionary<string, Measurement> Metrics { get; init; } = new Dictionary<string, Measurement>();

    /// <summary>The file of each series of step reports, in the run's folder, by the name of the series.</summary>
    public IReadOnlyDictionary<string, string> History { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// How it ended, or <see cref="RunStatusNames.Running"/>; null in records of earlier versions. Ask
    /// <see cref="RunRecord.StatusOf"/>, which knows of processes that were killed.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>When it ended, in UTC; null while it goes on.</summary>
    public DateTime? Ended { get; init; }

    /// <summary>What ended a run that failed, in the words of the error; null for others.</summary>
    public string? Error { get; init; }

    /// <summary>The process that made it, if that is not the process of the whole record.</summary>
    public RunProcess? Process { get; init; }

    /// <summary>The folder of the record.</summary>
    [JsonIgnore]
    public string Folder { get; init; } = "";

    /// <summary>Names of the series of reports.</summary>
    public IReadOnlyList<string> SeriesNames() => [.. History.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// Reads a series of reports of the run, written by
    /// <see cref="MetricLines.WriteTo(IEnumerable{StepReport}, RunRecorder, string)"/>.
    /// </summary>
    /// <param name="name">The series. The history is named after the run, and after the series too if that is not
    /// "metrics".</param>
    /// <param name="lossUnit">Unit of the loss.</param>
    /// <exception cref="FileNotFoundException">The run has no such series; the message names those it has.</exception>
    /// <exception cref="InvalidDataException">A line is not a report.</exception>
    public TrainingHistory Series(string name = MetricLines.DefaultName, string lossUnit = "nats per token")
    {
        if (!History.TryGetValue(name, out var file))
        {
            var others = SeriesNames() is { Count: > 0 } names ? $"it has {string.Join(", ", names)}" : "it has none";
            throw new FileNotFoundException($"The run {Name} in {Folder} has no series '{name}'; {others}.");
        }
        return new TrainingHistory(
            name == MetricLines.DefaultName ? Name : $"{Name}: {name}", MetricLines.Read(Path.Combine(Folder, file)), lossUnit);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}, seed {Seed}: {string.Join(", ", Metrics.Select(metric =>
        string.Create(CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value.Value:0.####} {metric.Value.Unit}")))}";
}
