using System.Diagnostics;
using ResearchKit.Data;

namespace ResearchKit.Training;

/// <summary>A named run that is going on: takes what is measured and writes it to the record of the run's folder.</summary>
/// <remarks>
/// <code>
/// var run = RunRecord.Start("study", seed, new { steps, batchSize }, austen);
/// foreach (var report in trainer.Run().WriteTo(run)) …
/// run.Measure("held-out loss", trainer.Evaluate(), "nats per character");
/// run.Save();
/// </code>
/// Members may be called from several threads. Of several ranks only rank 0 writes.
/// </remarks>
public sealed class RunRecorder
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private long measured;   // when evaluations were last written
    private RunProcess process;
    private TrainingRun run;

    private RunRecorder(TrainingRun run, RunProcess process, bool writes)
    {
        this.run = run;
        this.process = process;
        IsWritten = writes;
    }

    /// <summary>
    /// The run's folder: the one that <see cref="RunRecord.FolderVariable"/> names, else one below <c>runs/name</c>.
    /// </summary>
    public string Folder => run.Folder;

    /// <summary>Name of the experiment.</summary>
    public string Name => run.Name;

    /// <summary>The run as it is now.</summary>
    public TrainingRun Run
    {
        get
        {
            lock (gate) return run;
        }
    }

    /// <summary>The process that runs it.</summary>
    public RunProcess Process
    {
        get
        {
            lock (gate) return process;
        }
    }

    /// <summary>What was measured so far, by name.</summary>
    public IReadOnlyDictionary<string, Measurement> Metrics => Run.Metrics;

    /// <summary>Whether this process writes: a rank after the first does so only in a folder of its own.</summary>
    internal bool IsWritten { get; }

    /// <summary>Begins a run as <see cref="RunRecord.Start"/> does.</summary>
    /// <param name="name">Name of the experiment.</param>
    /// <param name="seed">Seed of all random numbers of the experiment.</param>
    /// <param name="settings">An object whose properties are the settings, or the settings by name.</param>
    /// <param name="data">The data sets that the experiment uses.</param>
    /// <param name="folder">The run's folder; null for the usual one.</param>
    internal static RunRecorder Start(string name, long seed, object settings, IEnumerable<DataSet> data, string? folder = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(settings);
        _ = Native.Compute.Kernels;   // a wrong environment variable is an error before a folder is made
        var started = DateTime.UtcNow;
        var sets = data.ToList();
        var run = new TrainingRun
        {
            Name = name,
            Started = started,
            Seed = seed,
            Settings = settings as IReadOnlyDictionary<string, object>
                ?? settings.GetType().GetProperties().ToDictionary(one => one.Name, one => one.GetValue(settings) ?? "null"),
            Data = [.. sets.Select(set => set.Name)],
            Status = RunStatusNames.Running,
            Folder = folder ?? RunFolders.Begin(name, started),
        };
        var host = RunFile.Find(run.Folder)?.Process;
        var process = host is { IsThis: true } ? host : RunProcess.Describe(Directory.GetCurrentDirectory());
        process = process with { Data = Checksums(sets) };
        var recorder = new RunRecorder(run, process, writes: ProcessRank.FromEnvironment().IsFirst || host is { IsThis: true });
        recorder.Save();
        OpenRuns.Add(recorder);
        return recorder;
    }

    /// <summary>
    /// Stores a measured number; a later one with the same name replaces it. <see cref="Save"/> writes it to the
    /// record.
    /// </summary>
    /// <param name="name">What was measured.</param>
    /// <param name="value">The number.</param>
    /// <param name="unit">Its unit, such as "nats per character".</param>
    public void Measure(string name, double value, string unit)
    {
        lock (gate)
            run = run with
            {
                Metrics =
                new Dictionary<string, Measurement>(run.Metrics) { [name] = new Measurement(value, unit) }
            };
    }

    /// <summary>Writes the run as it is now to <c>run.json</c> in its folder.</summary>
    /// <returns>Full path of the file.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public string Save()
    {
        lock (gate)
        {
            process = process.WithLibtorch();
            if (IsWritten) RunFile.Update(Folder, Added);
        }
        return Path.Combine(Folder, RunRecord.FileName);
    }

    /// <summary>Notes how the run ended, and writes it. A later series of the run begins it again.</summary>
    /// <param name="status">One of <see cref="RunStatusNames"/>.</param>
    /// <param name="error">What ended it, if it failed.</param>
    internal void End(string status, Exception? error = null)
    {
        lock (gate)
        {
            run = run with { Status = status, Ended = DateTime.UtcNow, Error = error?.Message };
            Save();
        }
    }

    /// <summary>Ends the run with its process, if nothing did before.</summary>
    internal void EndWithProcess(string status, Exception? error)
    {
        lock (gate)
            if (run.Status == RunStatusNames.Running && IsWritten && Directory.Exists(Folder)) End(status, error);
    }

    /// <summary>
    /// Notes the held-out loss and the metrics of a step that evaluated. Writes them at most once in a few seconds; the end of
    /// the run writes the last ones.
    /// </summary>
    internal void Measure(StepReport report, string series)
    {
        if (report.HeldOutLoss is not { } loss) return;
        var prefix = series == MetricLines.DefaultName ? "" : $"{series}: ";
        Measure($"{prefix}held-out loss", loss, report.LossUnit);
        foreach (var metric in report.Metrics ?? []) Measure($"{prefix}{metric.Name}", metric.Value, metric.Unit);
        if (Stopwatch.GetElapsedTime(measured) < Pause) return;
        Save();
        measured = Stopwatch.GetTimestamp();
    }

    /// <inheritdoc cref="TrainingRun.SeriesNames"/>
    public IReadOnlyList<string> SeriesNames() => Run.SeriesNames();

    /// <inheritdoc cref="TrainingRun.Series"/>
    public TrainingHistory Series(string name = MetricLines.DefaultName, string lossUnit = "nats per token") =>
        Run.Series(name, lossUnit);

    /// <inheritdoc/>
    public override string ToString() => Run.ToString();

    /// <summary>
    /// Reserves a file in the folder for a series of this run; another run in the folder uses another file.
    /// </summary>
    /// <returns>Full path of the file.</returns>
    internal string SeriesFile(string name)
    {
        lock (gate)
        {
            run = run with { Status = RunStatusNames.Running, Ended = null, Error = null };
            RunFile.Update(Folder, record => Added(record, run.History.ContainsKey(name) ? null : name));
            return Path.Combine(Folder, run.History[name]);
        }
    }

    /// <summary>The record with this run in it, and with a file for a new series of it.</summary>
    private RunRecord Added(RunRecord? record, string? series)
    {
        if (series is null) return Added(record);
        var others = (record?.Runs ?? []).Where(other => !IsThis(other) && !IsBefore(other, record!));
        var file = RunFolders.SeriesFile(series, others.SelectMany(other => other.History.Values).ToHashSet());
        run = run with { History = new Dictionary<string, string>(run.History) { [series] = file } };
        return Added(record);
    }

    private static Dictionary<string, string> Checksums(IEnumerable<DataSet> sets) =>
        sets.SelectMany(set => set.Files.Select(file => ($"{set.Name}/{file.Name}", file.Sha256))).ToDictionary();

    /// <summary>The record with this run in it; all else stays.</summary>
    private RunRecord Added(RunRecord? record)
    {
        if (record is null) return new RunRecord { Started = run.Started, Process = process, Runs = [run] };
        var isHost = record.Process.Id == process.Id;
        var entry = isHost ? run : run with { Process = process };
        var runs = record.Runs.Select(other => IsThis(other) ? entry : other);
        return record with
        {
            Process = isHost ? record.Process.Joined(process) : record.Process,
            Runs = [.. record.Runs.Any(IsThis) ? runs : runs.Append(entry)],
        };
    }

    private bool IsThis(TrainingRun other) => other.Name == run.Name && other.Started == run.Started;

    /// <summary>Whether it is this experiment in an earlier process, which this run repeats or resumes.</summary>
    private bool IsBefore(TrainingRun other, RunRecord record) => other.Name == run.Name && other.Seed == run.Seed
        && record.ProcessOf(other).Id != process.Id && RunFile.AreSame(other.Settings, run.Settings);
}
