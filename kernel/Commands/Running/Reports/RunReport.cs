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
    /// <summary>The cells that failed or in which the process crashed.</summary>
    public IEnumerable<CellReport> Failed => Cells.Where(cell => cell.End is CellEnd.Failed or CellEnd.Crashed);

    /// <summary>Reads the report from a run's folder.</summary>
    /// <param name="name">The notebook's path as given by the user.</param>
    /// <param name="notebook">The notebook's file.</param>
    /// <param name="folder">The run's output folder.</param>
    public static RunReport Read(string name, string notebook, RunFolder folder)
    {
        var hasRun = File.Exists(folder.Record);
        var record = hasRun ? RunRecord.Read(folder.Record) : null;
        var executed = NotebookDocument.Load(hasRun && File.Exists(folder.Notebook) ? folder.Notebook : notebook);
        var told = record?.Cells ?? [];
        var status = record?.Status is { } saved ? Enum.Parse<RunStatus>(saved, ignoreCase: true) : RunStatus.NotStarted;
        var cells = executed.Cells.Where(cell => cell.IsRunnable)
            .Select((cell, index) => Cell(cell, index + 1, told.ElementAtOrDefault(index))).ToList();
        return new RunReport(name, status, record?.Started, record?.Seconds ?? 0, cells);
    }

    private static CellReport Cell(NotebookCell cell, int number, RunCell? told)
    {
        var line = TerminalText.FirstLine(cell.Source);
        if (told is null) return new CellReport(number, cell.Id, line, CellEnd.Skipped, 0, null);
        var error = told.Error is { } thrown ? new ErrorOutput(thrown.Name, thrown.Message, thrown.Traceback) : null;
        return new CellReport(number, cell.Id, line, Enum.Parse<CellEnd>(told.Status, ignoreCase: true), told.Seconds, error);
    }
}
