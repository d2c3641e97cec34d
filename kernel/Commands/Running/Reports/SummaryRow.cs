using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The row of one notebook in the summary table.</summary>
internal sealed record SummaryRow(string Notebook, string Status, string Cells, string Seconds, string FailingCell)
{
    /// <summary>Returns the row of a run.</summary>
    public static SummaryRow Of(RunReport report)
    {
        var reached = report.Cells.Count(cell => cell.End != CellEnd.Skipped);
        return new SummaryRow(
            report.Name, Word(report.Status), $"{reached} of {report.Cells.Count}",
            report.Seconds.ToString("0.0", CultureInfo.InvariantCulture), Failing(report));
    }

    /// <summary>Returns the display text of a status.</summary>
    public static string Word(RunStatus status) =>
        status == RunStatus.NotStarted ? "not started" : status.ToString().ToLowerInvariant();

    private static string Failing(RunReport report)
    {
        var failed = report.Failed.ToList();
        if (failed.Count == 0) return "";
        var more = failed.Count == 1 ? "" : $" and {failed.Count - 1} more";
        return $"cell {failed[0].Number}: {failed[0].Error?.Name}{more}";
    }
}
