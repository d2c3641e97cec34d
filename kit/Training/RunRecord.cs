using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ResearchKit.Data;

namespace ResearchKit.Training;

/// <summary>One number that a run measured.</summary>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit, such as "nats per character".</param>
public readonly record struct Metric(double Value, string Unit);

/// <summary>What is needed to run an experiment again and to compare it: settings, seed, data, versions, machine, results.</summary>
public sealed record RunRecord
{
    /// <summary>Name of the environment variable that says in which folder a run's files go.</summary>
    public const string FolderVariable = "RESEARCHKIT_RUN_FOLDER";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
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
    public IReadOnlyDictionary<string, string> Packages { get; init; } = RunEnvironment.Packages();

    /// <summary>The machine it ran on.</summary>
    public IReadOnlyDictionary<string, string> Machine { get; init; } = RunEnvironment.Machine();

    /// <summary>The commit of the repository it ran in, with "+changes" where that was changed; null outside of one.</summary>
    public string? Commit { get; init; } = RunEnvironment.Commit();

    /// <summary>What was measured, by name.</summary>
    public Dictionary<string, Metric> Metrics { get; init; } = [];

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
        Settings = settings.GetType().GetProperties().ToDictionary(property => property.Name, property => property.GetValue(settings) ?? "null"),
        Data = data.SelectMany(set => set.Files.Select(file => ($"{set.Name}/{file.Name}", file.Sha256))).ToDictionary(),
    };

    /// <summary>Notes a number; a later one of the same name replaces it.</summary>
    public void Measure(string name, double value, string unit) => Metrics[name] = new Metric(value, unit);

    /// <summary>
    /// Writes <c>record.json</c> into the folder that the environment variable names, by default <c>runs/name/time</c> here.
    /// </summary>
    /// <returns>The file's full path.</returns>
    public string Save()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named
            : Path.Combine("runs", Name, Started.ToString("yyyyMMdd-HHmmss", System.Globalization.CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder);
        var path = Path.GetFullPath(Path.Combine(folder, "record.json"));
        var beside = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllText(beside, JsonSerializer.Serialize(this, Json) + "\n");
        File.Move(beside, path, overwrite: true);
        return path;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}, seed {Seed}: {string.Join(", ", Metrics.Select(metric => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value.Value:0.####} {metric.Value.Unit}")))}";
}
