using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>One notebook in the table at the end.</summary>
internal sealed record SummaryRow(string Notebook, string Status, string Cells, string Seconds, string FailingCell)
{
    /// <summary>What a run was, in a few words.</summary>
    public static SummaryRow Of(RunReport report)
    {
        var reached = report.Cells.Count(cell => cell.End != CellEnd.Skipped);
        return new SummaryRow(
            report.Name, Word(report.Status), $"{reached} of {report.Cells.Count}",
            report.Seconds.ToString("0.0", CultureInfo.InvariantCulture), Failing(report));
    }

    /// <summary>A status as a person reads it.</summary>
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
