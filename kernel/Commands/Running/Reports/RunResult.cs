namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The status of a run.</summary>
internal enum RunStatus
{
    NotStarted,
    Running,
    Succeeded,
    Failed,
    Interrupted,

    /// <summary>The run's process died before the run ended.</summary>
    Crashed,
}

/// <summary>The result of a run.</summary>
/// <param name="Status">The final status.</param>
/// <param name="Files">The files that were written: notebook, HTML page, record.</param>
/// <param name="Failures">A readable report of each failed cell: its source and its error.</param>
internal sealed record RunResult(RunStatus Status, IReadOnlyList<string> Files, IReadOnlyList<string> Failures);
