using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ResearchKit.Data;

namespace ResearchKit.Training;

/// <summary>One number that a run measured.</summary>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit, such as "nats per character".</param>
[method: JsonConstructor]
public readonly record struct Measurement(double Value, string Unit);

/// <summary>
/// What is needed to run an experiment again and to compare it: settings, seed, data, versions, machine, results.
/// </summary>
public sealed record RunRecord
{
    /// <summary>Name of the environment variable that says in which folder a run's files go.</summary>
    public const string FolderVariable = "RESEARCHKIT_RUN_FOLDER";

    /// <summary>Name of the file in a run's folder.</summary>
    public const string FileName = "record.json";

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Name of the experiment.</summary>
    public required string Name { get; init; }

    /// <summary>When it began, in UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>The settings of the experiment by name.</summary>
    public required IReadOnlyDictionary<string, object> Settings { get; init; }

    /// <summary>The seed of everything random in it.</summary>
    public required long Seed { get; init; }

    /// <summary>SHA-256 of each data file, by <c>data set/file</c>.</summary>
    public required IReadOnlyDictionary<string, string> Data { get; init; }

    /// <summary>Versions of the kit, TorchSharp, libtorch and .NET.</summary>
    public IReadOnlyDictionary<string, string> Packages { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine it ran on.</summary>
    public IReadOnlyDictionary<string, string> Machine { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Which native kernel does each operation, and why (<see cref="Native.KernelTable"/>); the last bits of the results depend
    /// on it.
    /// </summary>
    public IReadOnlyDictionary<string, string> Kernels { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of the workarounds at work (<see cref="Native.Workarounds"/>).</summary>
    public IReadOnlyList<string> Workarounds { get; init; } = [];

    /// <summary>The commit of the repository it ran in, with "+changes" where that was changed; null outside of one.</summary>
    public string? Commit { get; init; }

    /// <summary>What was measured, by name.</summary>
    public Dictionary<string, Measurement> Metrics { get; init; } = [];

    /// <summary>
    /// Where the run's files go: the folder that the environment variable names, by default one of its own below <c>runs/name</c>
    /// here, called after the time; it is chosen and made when it is first asked for.
    /// </summary>
    [JsonIgnore]
    public string Folder
    {
        get => field ??= RunFolders.Make(Name, Started);
        init;
    }

    /// <summary>Begins the record of an experiment.</summary>
    /// <param name="name">Name of the experiment.</param>
    /// <param name="seed">The seed of everything random in it.</param>
    /// <param name="settings">An object whose properties are the settings, such as <c>new { steps, batchSize }</c>.</param>
    /// <param name="data">The data sets it uses.</param>
    public static RunRecord Start(string name, long seed, object settings, params IEnumerable<DataSet> data) => new()
    {
        Name = name,
        Started = DateTime.UtcNow,
        Seed = seed,
        Settings = settings.GetType().GetProperties()
            .ToDictionary(property => property.Name, property => property.GetValue(settings) ?? "null"),
        Data = data.SelectMany(set => set.Files.Select(file => ($"{set.Name}/{file.Name}", file.Sha256))).ToDictionary(),
        Packages = RunEnvironment.Packages(),
        Machine = RunEnvironment.Machine(),
        Kernels = Native.Compute.Kernels.Described(),
        Workarounds = Native.Workarounds.Active,
        Commit = RunEnvironment.Commit(),
    };

    /// <summary>A run's record as it was saved; its <see cref="Folder"/> is where it lies.</summary>
    /// <param name="path">The record's file, or the folder it lies in.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">The file is no record of a run, with what is wrong and where.</exception>
    public static RunRecord Read(string path) => RecordFile.Read(path);

    /// <summary>Notes a number; a later one of the same name replaces it.</summary>
    public void Measure(string name, double value, string unit) => Metrics[name] = new Measurement(value, unit);

    /// <summary>Writes <c>record.json</c> into the run's folder.</summary>
    /// <returns>The file's full path.</returns>
    public string Save() => RecordFile.Write(this);

    /// <summary>
    /// Names of the series of reports in the run's folder: <c>adamw</c> for <c>adamw.jsonl</c>; those moved aside are left out.
    /// </summary>
    public IReadOnlyList<string> SeriesNames() => RunFolders.SeriesIn(Folder);

    /// <summary>
    /// The reports of a series of the run, as <see cref="MetricLines.WriteTo(IEnumerable{StepReport}, RunRecord, string)"/> wrote
    /// them.
    /// </summary>
    /// <param name="name">The series; what the course is called besides the run, where that is not "metrics".</param>
    /// <param name="lossUnit">Unit of the loss.</param>
    /// <exception cref="FileNotFoundException">The run has no such series; those it has are named.</exception>
    /// <exception cref="InvalidDataException">A line is no report.</exception>
    public TrainingHistory Series(string name = MetricLines.DefaultName, string lossUnit = "nats per token") =>
        File.Exists(MetricLines.PathOf(this, name))
        ? new TrainingHistory(name == MetricLines.DefaultName ? Name : $"{Name}: {name}",
            MetricLines.Read(MetricLines.PathOf(this, name)), lossUnit)
        : throw new FileNotFoundException($"{Folder} has no series '{name}'; "
            + $"{(SeriesNames() is { Count: > 0 } names ? $"it has {string.Join(", ", names)}" : "it has none")}.");

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}, seed {Seed}: {string.Join(", ", Metrics.Select(metric =>
            FormattableString.Invariant($"{metric.Key} {metric.Value.Value:0.####} {metric.Value.Unit}")))}";
}
