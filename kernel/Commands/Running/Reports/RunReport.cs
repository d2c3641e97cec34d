using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Kernel.Sessions;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>What came of one notebook: read from the folder of its run, whichever process ran it.</summary>
/// <param name="Name">The notebook as the person called it.</param>
/// <param name="Status">How the run ended.</param>
/// <param name="Started">When it began; null where it never did.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Cells">Its code cells, also those that were not reached.</param>
internal sealed record RunReport(
    string Name, RunStatus Status, DateTimeOffset? Started, double Seconds, IReadOnlyList<CellReport> Cells)
{
    private const int LastLines = 20;

    /// <summary>The cells that failed.</summary>
    public IEnumerable<CellReport> Failed => Cells.Where(cell => cell.End is CellEnd.Failed or CellEnd.Crashed);

    /// <summary>Reads a run's folder.</summary>
    /// <param name="name">The notebook as the person called it.</param>
    /// <param name="notebook">The notebook's file.</param>
    /// <param name="folder">Where its run wrote.</param>
    /// <param name="lastWords">
    /// What its process said last, where it ended on its own; a run that says it goes on has then crashed.
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
        // a process that ends on its own does so in the first cell without a word
        var silent = cells.FindIndex(cell => cell.End == CellEnd.Skipped);
        if (status == RunStatus.Crashed && silent >= 0 && cells.All(cell => cell.End != CellEnd.Crashed))
            cells[silent] = cells[silent] with { End = CellEnd.Crashed, Error = Crash(lastWords!) };
        return new RunReport(name, status, record?.Started, record?.Seconds ?? 0, cells);
    }

    private static ErrorOutput Crash(string lastWords) =>
        new("Crashed", "The process ended in this cell.", [.. lastWords.ReplaceLineEndings("\n").Split('\n').Take(LastLines)]);

    private static CellReport Cell(NotebookCell cell, int number, RunCell? told)
    {
        var line = TerminalText.FirstLine(cell.Source);
        if (told is null) return new CellReport(number, cell.Id, line, CellEnd.Skipped, 0, null);
        var error = told.Error is { } thrown ? new ErrorOutput(thrown.Name, thrown.Message, thrown.Traceback) : null;
        return new CellReport(number, cell.Id, line, Enum.Parse<CellEnd>(told.Status, ignoreCase: true), told.Seconds, error);
    }
}
