namespace ResearchKit.Kernel.Commands.Running;

/// <summary>How far a run has come.</summary>
internal enum RunStatus
{
    Running,
    Succeeded,
    Failed,
    Interrupted,
}

/// <summary>What came of a run.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Files">What it wrote: the notebook, the page, the record.</param>
/// <param name="Failure">The failed cell, its source and its error, to be read.</param>
internal sealed record RunResult(RunStatus Status, IReadOnlyList<string> Files, string? Failure);
