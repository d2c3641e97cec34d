using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// The result of one notebook run, read from the run's folder, so that it does not matter which process ran it.
/// </summary>
/// <param name="Name">The notebook's path as given by the user.</param>
/// <param name="Status">How the run ended.</param>
/// <param name="Started">When the run started; null if it did not.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Cells">The code cells, including those that were not reached.</param>
/// <param name="Error">What ended the run's process before its first cell or after its last one; otherwise null.</param>
internal sealed record RunReport(
    string Name, RunStatus Status, DateTimeOffset? Started, double Seconds, IReadOnlyList<CellReport> Cells,
    ErrorOutput? Error = null)
{
    private const int LastLines = 20;

    /// <summary>The cells that failed or in which the process crashed.</summary>
    public IEnumerable<CellReport> Failed => Cells.Where(cell => cell.End is CellEnd.Failed or CellEnd.Crashed);

    /// <summary>Reads the report from a run's folder.</summary>
    /// <param name="name">The notebook's path as given by the user.</param>
    /// <param name="notebook">The notebook's file.</param>
    /// <param name="folder">The run's output folder.</param>
    /// <param name="lastWords">
    /// The last output of the run's process if that has ended; a record that still says "running" then means a
    /// crash. Null if the process was interrupted, or is this one.
    /// </param>
    public static RunReport Read(string name, string notebook, RunFolder folder, string? lastWords = null)
    {
        var hasRun = File.Exists(folder.Record);
        var record = hasRun ? RunRecord.Read(folder.Record) : null;
        var executed = NotebookDocument.Load(hasRun && File.Exists(folder.Notebook) ? folder.Notebook : notebook);
        var told = record?.Cells ?? [];
        var status = record?.Status is { } saved ? Enum.Parse<RunStatus>(saved, ignoreCase: true) : RunStatus.NotStarted;
        if (status is RunStatus.Running or RunStatus.NotStarted && lastWords is not null) status = RunStatus.Crashed;
        var cells = executed.Cells.Where(cell => cell.IsRunnable)
            .Select((cell, index) => Cell(cell, index + 1, told.ElementAtOrDefault(index))).ToList();
        var isOutside = status == RunStatus.Crashed && cells.All(cell => cell.End != CellEnd.Crashed);
        return new RunReport(name, status, record?.Started, record?.Seconds ?? 0, cells,
            isOutside ? Outside(cells, lastWords ?? "") : null);
    }

    private static ErrorOutput Outside(List<CellReport> cells, string lastWords) => new(
        CrashedRun.ErrorName,
        cells.All(cell => cell.End == CellEnd.Skipped) ? "The run's process ended before its first cell."
            : "The run's process ended after its last cell.",
        [.. lastWords.ReplaceLineEndings("\n").Split('\n').Take(LastLines)]);

    private static CellReport Cell(NotebookCell cell, int number, RunCell? told)
    {
        var line = TerminalText.FirstLine(cell.Source);
        if (told is null) return new CellReport(number, cell.Id, line, CellEnd.Skipped, 0, null);
        var error = told.Error is { } thrown ? new ErrorOutput(thrown.Name, thrown.Message, thrown.Traceback) : null;
        return new CellReport(number, cell.Id, line, Enum.Parse<CellEnd>(told.Status, ignoreCase: true), told.Seconds, error);
    }
}
