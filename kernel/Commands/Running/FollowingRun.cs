using System.CommandLine;
using ResearchKit.Kernel.Kit;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// A run in a process after the first of several that were started together: it runs the cells, writes nothing and says only what
/// failed.
/// </summary>
internal static class FollowingRun
{
    /// <summary>
    /// How long a failed run goes on to exist: its end ends the first process too, which may be writing down that it failed
    /// likewise.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Runs the notebook; what its cells write to the folder of the run is dropped.</summary>
    /// <param name="notebooks">The notebook.</param>
    /// <param name="like">What it is asked.</param>
    /// <param name="process">Which process this is.</param>
    /// <param name="console">Where complaints go.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> ExecuteAsync(
        NotebookList notebooks, RunRequest like, RunRank process, InvocationConfiguration console, CancellationToken cancellation)
    {
        var aside = Directory.CreateTempSubdirectory("researchkit-");
        try
        {
            console.Output = TextWriter.Null;
            var runs = PlannedRun.All(notebooks, like with { Output = aside.FullName });
            var reports = await new RunBatch(runs, 1, console) { Process = process, IsHere = true }
                .ExecuteAsync((_, _) => { }, cancellation).ConfigureAwait(false);
            var exitCode = BatchOptions.ExitCodeOf(reports);
            if (exitCode == ExitCodes.CellFailed) await Task.Delay(Patience, CancellationToken.None).ConfigureAwait(false);
            return exitCode;
        }
        finally
        {
            aside.Delete(recursive: true);
        }
    }
}
