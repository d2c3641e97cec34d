using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Sessions;

/// <summary>How a cell ended.</summary>
public enum CellStatus
{
    /// <summary>The cell ran to its end.</summary>
    Succeeded,

    /// <summary>The cell did not compile, threw, or displayed a value whose formatter failed.</summary>
    Failed,

    /// <summary>The cell was interrupted.</summary>
    Interrupted,
}

/// <summary>The outcome of a cell.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Error">The first error; null if there was none.</param>
public sealed record CellOutcome(CellStatus Status, ErrorOutput? Error = null);
