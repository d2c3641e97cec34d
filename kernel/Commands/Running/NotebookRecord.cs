using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Parameters;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// The kernel's part of <c>run.json</c>: the notebook, its parameters, the process, and status and duration of the run
/// and of each cell.
/// </summary>
internal sealed class NotebookRecord
{
    private readonly List<RunCell> cells = [];
    private readonly long startedTicks = Stopwatch.GetTimestamp();
    private readonly RunRecord begun;
    private bool hasCells;

    public NotebookRecord(string notebook, IReadOnlyList<ParameterValue> parameters, DateTimeOffset started)
    {
        Parameters = new JsonObject(
            parameters.Select(value => KeyValuePair.Create(value.Parameter.Name, value.Json?.DeepClone())));
        begun = new RunRecord
        {
            Started = new DateTime(started.Ticks - (started.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc),
            Notebook = notebook,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(notebook))),
            Parameters = Parameters.ToDictionary(value => value.Key, value => (object?)value.Value),
            Process = RunProcess.Describe(Path.GetDirectoryName(notebook)!),
            Runs = [],
        };
    }

    public JsonObject Parameters { get; }

    public DateTime Started => begun.Started;

    public double Seconds => Math.Round(Stopwatch.GetElapsedTime(startedTicks).TotalSeconds, 3);

    public void AddCell(NotebookCell cell, int number, double seconds, CellEnd end, ErrorOutput? error) =>
        cells.Add(Cell(cell, number, seconds, end, error));

    /// <summary>A cell as the record describes it.</summary>
    public static RunCell Cell(NotebookCell cell, int number, double seconds, CellEnd end, ErrorOutput? error) => new(
        number, cell.Id, Math.Round(seconds, 3), end.ToString().ToLowerInvariant(), error is null ? null : Told(error));

    /// <summary>
    /// From now on the record has a duration, which tells a run that died in its first cell from one that died before.
    /// </summary>
    public void BeginCells() => hasCells = true;

    /// <summary>Writes a new record; that of an earlier run in the folder is replaced.</summary>
    public void Begin(string folder) => RunFile.Update(folder, _ => Now(RunStatus.Running));

    /// <summary>Writes the kernel's part; the named runs that the cells wrote stay.</summary>
    /// <returns>The record with both.</returns>
    public RunRecord Save(string folder, RunStatus status) => RunFile.Update(folder, written =>
    {
        var now = Now(status);
        if (written is null) return now;
        var isOwn = written.Process.Id == now.Process.Id;   // then the kit in this process may have added to it
        return now with
        {
            Process = isOwn ? written.Process with { Portable = now.Process.Portable } : now.Process,
            Runs = written.Runs,
            Notes = written.Notes,
        };
    });

    private RunRecord Now(RunStatus status) => begun with
    {
        Seconds = hasCells ? Seconds : null,
        Status = status.ToString().ToLowerInvariant(),
        Cells = [.. cells],
        Process = begun.Process with { Portable = PortableRun.IsOn },
    };

    private static RunError Told(ErrorOutput error) =>
        new(error.Name, MimeBundle.WellFormed(error.Message), [.. error.Traceback.Select(MimeBundle.WellFormed)]);
}
