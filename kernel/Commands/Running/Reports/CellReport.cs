using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>How a cell of a run ended.</summary>
internal enum CellEnd
{
    Succeeded,
    Failed,

    /// <summary>It failed, as its tag <c>raises-exception</c> allows.</summary>
    Raised,
    Interrupted,

    /// <summary>The process ended in it.</summary>
    Crashed,

    /// <summary>The run ended before it.</summary>
    Skipped,
}

/// <summary>What came of one cell.</summary>
/// <param name="Number">Its place among the code cells, from 1.</param>
/// <param name="Id">Its name in the notebook.</param>
/// <param name="FirstLine">The first line of its code.</param>
/// <param name="End">How it ended.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Error">What went wrong, where something did.</param>
internal sealed record CellReport(int Number, string Id, string FirstLine, CellEnd End, double Seconds, ErrorOutput? Error);
