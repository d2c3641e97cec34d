using ResearchKit.Kernel.Commands.Running;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>The comparison of a committed notebook with its new run.</summary>
/// <param name="Report">The report of the new run.</param>
/// <param name="Cells">The cells that were compared.</param>
/// <param name="LeftOut">How many cells were not compared, because of their tags.</param>
internal sealed record NotebookComparison(
    RunReport Report, IReadOnlyList<(CellReport Cell, CellComparison Comparison)> Cells, int LeftOut)
{
    /// <summary>True when every cell ran and its outputs are as committed.</summary>
    public bool IsSame => Report.Status == RunStatus.Succeeded && Differing.Count == 0;

    private List<(CellReport Cell, CellComparison Comparison)> Differing =>
        [.. Cells.Where(pair => pair.Comparison.Differences.Count > 0)];

    /// <summary>Returns the report: one line of verdict, then the differences.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Report.Name}: {Verdict()}{(LeftOut == 0 ? "" : $"; {LeftOut} left out as volatile")}";
        foreach (var (cell, comparison) in Differing)
        {
            yield return $"  cell {cell.Number} ({cell.Id}): {cell.FirstLine}";
            foreach (var line in comparison.Differences) yield return $"  {line}";
        }
        var skipped = Report.Cells.Count(cell => cell.End == CellEnd.Skipped);
        if (skipped > 0) yield return $"  {skipped} {(skipped == 1 ? "cell was" : "cells were")} not reached";
    }

    private string Verdict()
    {
        var failing = Report.Failed.FirstOrDefault();
        if (failing is not null)
            return $"{SummaryRow.Word(Report.Status)} in cell {failing.Number} ({failing.Error?.Name}), {Count(Differing.Count)} "
                + $"of {Cells.Count} differ";
        if (Report.Status != RunStatus.Succeeded) return SummaryRow.Word(Report.Status);
        if (Differing.Count > 0) return $"{Count(Differing.Count)} of {Cells.Count} differ";
        var largest = Cells.Select(pair => pair.Comparison.Largest).Aggregate((NumberDifference?)null, NumberDifference.Larger);
        return $"as committed, {Count(Cells.Count)} compared; "
            + $"{(largest is { Relative: > 0 } ? $"largest relative difference {largest}" : "every number the same")}";
    }

    private static string Count(int cells) => cells == 1 ? "1 cell" : $"{cells} cells";
}
