using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Carries out planned runs, each in a process of its own, which a cell can end.</summary>
/// <param name="runs">What to run.</param>
/// <param name="jobs">How many run at a time.</param>
/// <param name="console">Where progress and error messages are written.</param>
internal sealed class RunBatch(IReadOnlyList<PlannedRun> runs, int jobs, InvocationConfiguration console)
{
    /// <summary>The rank of this process; with several processes, each error message starts with it.</summary>
    public RunRank Process { get; init; } = new(0, 1);

    /// <summary>Whether a single run takes place in this process, which was then started for it or is another program.</summary>
    public bool IsHere { get; init; } = !ThisProgram.IsEntry;

    /// <summary>Executes all runs, also after one has failed.</summary>
    /// <param name="ended">Called after each run, never concurrently.</param>
    /// <param name="cancellation">
    /// Interrupts the current runs, which save their outputs so far, and starts no further ones.
    /// </param>
    /// <returns>The reports, in the order of the runs.</returns>
    public async Task<IReadOnlyList<RunReport>> ExecuteAsync(
        Action<PlannedRun, RunReport> ended, CancellationToken cancellation) =>
        runs.Count == 1
            ? [await (IsHere ? HereAsync(ended, cancellation) : AloneAsync(ended, cancellation)).ConfigureAwait(false)]
            : await EachInItsProcessAsync(ended, cancellation).ConfigureAwait(false);

    private async Task<RunReport> HereAsync(Action<PlannedRun, RunReport> ended, CancellationToken cancellation)
    {
        var run = runs[0];
        var progress = TerminalProgress.IsPossible(console.Output)
            ? (IRunProgress)new TerminalProgress() : new PlainProgress(console.Output);
        RunResult result;
        await using (progress.ConfigureAwait(false))
            result = await run.Run.ExecuteAsync(progress, cancellation).ConfigureAwait(false);
        await console.Error.WriteAsync(Told(result.Failures)).ConfigureAwait(false);
        var report = run.Report();
        ended(run, report);
        return report;
    }

    private async Task<RunReport> AloneAsync(Action<PlannedRun, RunReport> ended, CancellationToken cancellation)
    {
        Action<string>? heard = console.Output == Console.Out ? null : console.Output.WriteLine;
        var run = runs[0];
        var done = await SupervisedRun.ExecuteAsync(run, 1, heard, console.Error.WriteLine, cancellation).ConfigureAwait(false);
        await console.Error.WriteAsync(Told(done.Untold)).ConfigureAwait(false);
        ended(run, done.Report);
        return done.Report;
    }

    private async Task<IReadOnlyList<RunReport>> EachInItsProcessAsync(Action<PlannedRun, RunReport> ended,
        CancellationToken cancellation)
    {
        var (reports, complaints) = (new RunReport[runs.Count], new string[runs.Count]);
        var progress = TerminalProgress.IsPossible(console.Output) ? (IBatchProgress)new TerminalBatchProgress()
            : new PlainBatchProgress(console.Output);
        await using (progress.ConfigureAwait(false))
        {
            progress.Begin(runs.Count);
            using var turns = new SemaphoreSlim(jobs);
            var gate = new Lock();
            await Task.WhenAll(runs.Select(async (run, index) =>
            {
                await turns.WaitAsync(CancellationToken.None).ConfigureAwait(false);
                try
                {
                    (reports[index], complaints[index]) = await ThereAsync(run, progress, cancellation).ConfigureAwait(false);
                    lock (gate) ended(run, reports[index]);
                    if (reports[index].Status != RunStatus.NotStarted) progress.Ended(reports[index]);
                }
                finally
                {
                    turns.Release();
                }
            })).ConfigureAwait(false);
        }
        foreach (var (report, complaint) in reports.Zip(complaints)
            .Where(pair => pair.Second.Length > 0 && pair.First.Status != RunStatus.Interrupted))
            await console.Error.WriteLineAsync($"\n{report.Name}\n{complaint}").ConfigureAwait(false);
        return reports;
    }

    /// <summary>
    /// Removes the notebook's full path from a progress line of a child; the batch's lines start with its name
    /// already.
    /// </summary>
    private static string WithoutPath(string line, PlannedRun run)
    {
        var path = $"{Path.GetFullPath(run.Request.Notebook)}: ";
        return line.StartsWith(path, StringComparison.Ordinal) ? line[path.Length..] : line;
    }

    private async Task<(RunReport Report, string Complaints)> ThereAsync(
        PlannedRun run, IBatchProgress progress, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested) return (run.Report(), "");
        progress.Started(run.Name);
        var done = await SupervisedRun.ExecuteAsync(
            run, Math.Min(jobs, runs.Count), line => progress.Said(run.Name, WithoutPath(line, run)), _ => { }, cancellation)
            .ConfigureAwait(false);
        return (done.Report, $"{done.Complaints}\n\n{Told(done.Untold)}".Trim());
    }

    /// <summary>Failures as they are written to stderr.</summary>
    private string Told(IReadOnlyList<string> failures)
    {
        var who = Process.WorldSize == 1 ? "" : $"{Process}: ";
        return string.Join('\n', failures.Select(failure => $"{who}{failure}\n"));
    }
}
