namespace ResearchKit.Kernel.Commands.Running;

/// <summary>How far a run has come.</summary>
internal enum RunStatus
{
    NotStarted,
    Running,
    Succeeded,
    Failed,
    Interrupted,

    /// <summary>Its process ended without a word.</summary>
    Crashed,
}

/// <summary>What came of a run.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Files">What it wrote: the notebook, the page, the record.</param>
/// <param name="Failures">Each failed cell, its source and its error, to be read.</param>
internal sealed record RunResult(RunStatus Status, IReadOnlyList<string> Files, IReadOnlyList<string> Failures);
