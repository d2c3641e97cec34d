using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// The run of a process with a rank above 0 in a multi-process run: it executes the cells, keeps no output
/// files and reports only failures.
/// </summary>
internal static class FollowingRun
{
    /// <summary>
    /// How long a failed process waits before it exits: mpirun then kills rank 0, which may still be saving the
    /// same failure.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Runs the notebook in a temporary run folder, which is deleted afterwards.</summary>
    /// <param name="notebooks">The notebook.</param>
    /// <param name="like">The options of the run.</param>
    /// <param name="process">The rank of this process.</param>
    /// <param name="console">The console; only its error stream is used.</param>
    /// <param name="cancellation">Interrupts the run.</param>
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
