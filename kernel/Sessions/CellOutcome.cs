using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Sessions;

/// <summary>How a cell ended.</summary>
public enum CellStatus
{
    /// <summary>It ran to its end.</summary>
    Succeeded,

    /// <summary>It did not compile, threw, or one of its values could not be shown.</summary>
    Failed,

    /// <summary>It was stopped from outside.</summary>
    Interrupted,
}

/// <summary>How a cell ended, and why.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Error">The first error, where there was one.</param>
public sealed record CellOutcome(CellStatus Status, ErrorOutput? Error = null);
