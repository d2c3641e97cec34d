using ResearchKit.Kernel.Jupyter;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>A run in a process of its own, with what that process left undone when it ended in a cell.</summary>
/// <param name="Report">What came of the run.</param>
/// <param name="Complaints">What its process wrote to stderr.</param>
/// <param name="Untold">The failures that its process could not tell, because it ended too soon.</param>
internal sealed record SupervisedRun(RunReport Report, string Complaints, IReadOnlyList<string> Untold)
{
    /// <summary>Runs it to its end.</summary>
    /// <inheritdoc cref="ChildRun.RunAsync"/>
    public static async Task<SupervisedRun> ExecuteAsync(
        PlannedRun run, int sharers, Action<string>? heard, Action<string> complained, CancellationToken cancellation)
    {
        var folder = run.Run.Folder;
        if (File.Exists(folder.Record)) File.Delete(folder.Record);   // of an earlier run to the same folder
        var (exit, complaints) = await ChildRun.RunAsync(run.Request, sharers, heard, complained, cancellation)
            .ConfigureAwait(false);
        if (exit == ExitCodes.Interrupted) return new SupervisedRun(run.Report(), complaints, []);
        var source = Path.GetFullPath(run.Request.Notebook);
        var outside = await CrashedRun.CompleteAsync(folder, source, Supervisor.Reason(exit), complaints).ConfigureAwait(false);
        var report = run.Report();
        if (outside is not null) report = report with { Status = RunStatus.Crashed, Error = outside };
        return new SupervisedRun(report, complaints, report.Status == RunStatus.Crashed ? Failures(run, report) : []);
    }

    /// <summary>The failed cells; without the last words of the process, which were heard when it wrote them.</summary>
    private static List<string> Failures(PlannedRun run, RunReport report)
    {
        var folder = run.Run.Folder;
        var notebook = NotebookDocument.Load(File.Exists(folder.Notebook) ? folder.Notebook : run.Request.Notebook);
        var cells = notebook.Cells.Where(cell => cell.IsRunnable).ToList();
        var failures = new List<string>();
        foreach (var cell in report.Failed)
        {
            var error = cell.End == CellEnd.Crashed ? cell.Error! with { Traceback = [cell.Error!.Message] } : cell.Error!;
            failures.Add(FailureReport.Of(cells[cell.Number - 1], cell.Number, error));
        }
        if (report.Error is { } outside) failures.Add(outside.Message);
        return failures;
    }
}
