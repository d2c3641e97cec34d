using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Completes a run whose process ended before the run did: the cell that ended it has failed, and there is a page. Says what
/// happened where no cell is to blame.
/// </summary>
internal static class CrashedRun
{
    /// <summary>The name of the error.</summary>
    public const string ErrorName = "Crashed";

    private const int LastLines = 20;
    private static readonly string[] Notices =
        ["Unhandled exception", "Stack overflow", "Process terminated", "Fatal error", "Out of memory", "terminate called"];

    /// <summary>
    /// Marks the running cell and the run as crashed, in the notebook and in the record, if the record still says that it runs.
    /// Renders the page if it is older than the record. Writes nothing if the run had not begun.
    /// </summary>
    /// <param name="folder">Where the run wrote.</param>
    /// <param name="source">The full path of its notebook.</param>
    /// <param name="reason">Why its process ended, to follow a colon.</param>
    /// <param name="lastWords">What the process wrote to stderr.</param>
    /// <returns>Why the run crashed if that was before its first cell or after its last one; otherwise null.</returns>
    public static async Task<ErrorOutput?> CompleteAsync(RunFolder folder, string source, string reason, string lastWords)
    {
        if (!File.Exists(folder.Record) || !File.Exists(folder.Notebook)) return Outside("before its first", reason, lastWords);
        var record = RunRecord.Read(folder.Record);
        var isOpen = record.Status == Word(RunStatus.Running);
        if (isOpen || File.GetLastWriteTimeUtc(folder.Page) < File.GetLastWriteTimeUtc(folder.Record))
        {
            var notebook = NotebookDocument.Load(folder.Notebook);
            if (isOpen) record = Fail(notebook, record, folder, reason, lastWords);
            var (name, place) = (Path.GetFileNameWithoutExtension(source), Path.GetDirectoryName(source)!);
            var page = await HtmlPage.RenderAsync(notebook, name, place, CancellationToken.None).ConfigureAwait(false);
            AtomicWrite.Text(folder.Page, page);
        }
        if (record.Status != Word(RunStatus.Crashed) || record.Cells?.Any(cell => cell.Status == Word(CellEnd.Crashed)) == true)
            return null;
        return Outside(record.Seconds is null ? "before its first" : "after its last", reason, lastWords);
    }

    /// <summary>
    /// The running cell is the first that the record does not list; the run saved its seconds when it began. A record without
    /// seconds is of a run that had not begun its first cell.
    /// </summary>
    /// <returns>The record as it is now.</returns>
    private static RunRecord Fail(NotebookDocument notebook, RunRecord record, RunFolder folder, string reason, string lastWords)
    {
        var cells = record.Cells ?? [];
        var start = record.Started + TimeSpan.FromSeconds(record.Seconds ?? 0);
        var end = DateTime.UtcNow > start ? DateTime.UtcNow : start;
        var seconds = Math.Round((end - record.Started).TotalSeconds, 3);
        if (record.Seconds is not null
            && notebook.Cells.Where(cell => cell.IsRunnable).ElementAtOrDefault(cells.Count) is { } cell)
        {
            var message = $"The process ended in this cell: {reason}.";
            var error = new ErrorOutput(ErrorName, message, [message, .. Last(lastWords)]);
            cell.ExecutionCount = cells.Count + 1;
            cell.SetTiming(start, end);
            new OutputRecorder().Record(cell, error);
            cells = [.. cells, NotebookRecord.Cell(cell, cells.Count + 1, (end - start).TotalSeconds, CellEnd.Crashed, error)];
        }
        if (notebook.Metadata["researchkit"] is JsonObject summary)
        {
            summary["status"] = Word(RunStatus.Crashed);
            summary["seconds"] = seconds;
        }
        notebook.Save(folder.Notebook);
        return RunFile.Update(folder.FullPath, written => (written ?? record) with
        {
            Cells = cells,
            Seconds = record.Seconds is null ? null : seconds,
            Status = Word(RunStatus.Crashed),
        });
    }

    private static ErrorOutput Outside(string where, string reason, string lastWords)
    {
        var message = $"The process of the run ended {where} cell: {reason}.";
        return new ErrorOutput(ErrorName, message, [message, .. Last(lastWords)]);
    }

    /// <summary>From the runtime's own notice on, where it gave one.</summary>
    private static IEnumerable<string> Last(string words)
    {
        var lines = words.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var notice = Array.FindLastIndex(lines, line => Notices.Any(start => line.StartsWith(start, StringComparison.Ordinal)));
        return notice >= 0 ? lines.Skip(notice).Take(LastLines) : lines.TakeLast(LastLines);
    }

    private static string Word(Enum end) => end.ToString().ToLowerInvariant();
}
