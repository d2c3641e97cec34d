using System.Text.Json.Serialization;
using ResearchKit.Data;

namespace ResearchKit.Training;

/// <summary>
/// The record of a run, <c>run.json</c> in the run's folder: the process that ran, and its named runs with settings, seed and
/// metrics.
/// </summary>
/// <remarks>
/// A record is a value: what was read, or what is to be written. <see cref="Start"/> begins a run that is still going on, as a
/// <see cref="RunRecorder"/>. <see cref="RunFile"/> says who writes what.
/// </remarks>
public sealed record RunRecord
{
    /// <summary>Name of the environment variable with the folder of a run's files.</summary>
    public const string FolderVariable = "RESEARCHKIT_RUN_FOLDER";

    /// <summary>Name of the file in a run's folder.</summary>
    public const string FileName = "run.json";

    /// <summary>Version of the file's schema that this version of the kit reads and writes.</summary>
    public const int CurrentSchema = 1;

    /// <summary>Version of the file's schema.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>When the process began to run, in UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>How long the notebook has run; null if a program hosts the run.</summary>
    public double? Seconds { get; init; }

    /// <summary>
    /// "running", or how the notebook ended: "succeeded", "failed", "interrupted". Null if a program hosts the run.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Full path of the notebook; null if a program hosts the run.</summary>
    public string? Notebook { get; init; }

    /// <summary>SHA-256 of the notebook's file as it was read.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The parameters that were set in the notebook, by name.</summary>
    public IReadOnlyDictionary<string, object?>? Parameters { get; init; }

    /// <summary>The notebook's code cells that have run, in order.</summary>
    public IReadOnlyList<RunCell>? Cells { get; init; }

    /// <summary>The process that hosts the run: that of the notebook or of the program.</summary>
    public required RunProcess Process { get; init; }

    /// <summary>The named runs, in the order in which they began.</summary>
    public required IReadOnlyList<TrainingRun> Runs { get; init; }

    /// <summary>What happened to the file itself, such as that a damaged one was kept under another name.</summary>
    public IReadOnlyList<string>? Notes { get; init; }

    /// <summary>The folder in which the record lies.</summary>
    [JsonIgnore]
    public string Folder { get; init; } = "";

    /// <summary>Begins a named run and writes its settings to the record. A process can begin several.</summary>
    /// <param name="name">Name of the experiment.</param>
    /// <param name="seed">Seed of all random numbers of the experiment.</param>
    /// <param name="settings">An object whose properties are the settings, such as <c>new { steps, batchSize }</c>.</param>
    /// <param name="data">The data sets that the experiment uses.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public static RunRecorder Start(string name, long seed, object settings, params IEnumerable<DataSet> data) =>
        RunRecorder.Start(name, seed, settings, data);

    /// <summary>Reads the record of a run.</summary>
    /// <param name="path">Path of the record, or of its folder.</param>
    /// <exception cref="FileNotFoundException">There is no run record at this path.</exception>
    /// <exception cref="InvalidDataException">The file is not a run record; the message says what is wrong and
    /// where.</exception>
    public static RunRecord Read(string path) => RunFile.Read(path);

    /// <summary>The process that made one of the runs.</summary>
    /// <param name="run">A run of this record.</param>
    public RunProcess ProcessOf(TrainingRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.Process ?? Process;
    }

    /// <summary>
    /// How a run ended, or that it goes on (<see cref="RunStatusNames"/>). A run whose process is gone without an end was killed.
    /// Null if the record does not say.
    /// </summary>
    /// <param name="run">A run of this record; null for the notebook as a whole.</param>
    public string? StatusOf(TrainingRun? run)
    {
        if (run is not null && run.Status is not (null or RunStatusNames.Running)) return run.Status;
        var process = run is null ? Process : ProcessOf(run);
        // the notebook's own end counts for a run that did not write one
        if (run?.Process is null && Status is not (null or RunStatusNames.Running)) return Status;
        return process.HasEnded && (run?.Status ?? Status) == RunStatusNames.Running ? RunStatusNames.Killed
            : run?.Status ?? Status;
    }

    /// <inheritdoc/>
    public override string ToString() => Runs.Count > 0 ? string.Join('\n', Runs)
        : $"{Path.GetFileNameWithoutExtension(Notebook) ?? "a program"}: no named run";
}
