using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>How a cell ended in a run.</summary>
internal enum CellEnd
{
    Succeeded,
    Failed,

    /// <summary>It threw, which its tag <c>raises-exception</c> allows.</summary>
    Raised,
    Interrupted,

    /// <summary>The process died while it ran.</summary>
    Crashed,

    /// <summary>The run ended before reaching it.</summary>
    Skipped,
}

/// <summary>The result of one cell in a run.</summary>
/// <param name="Number">The number of the cell among the code cells, from 1.</param>
/// <param name="Id">The cell's id in the notebook.</param>
/// <param name="FirstLine">The first line of its code.</param>
/// <param name="End">How it ended.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Error">The error; null if there was none.</param>
internal sealed record CellReport(int Number, string Id, string FirstLine, CellEnd End, double Seconds, ErrorOutput? Error);
