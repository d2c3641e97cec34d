using System.Diagnostics;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Shows a run while it trains.</summary>
public static class LiveTraining
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Passes the steps of a run through and shows its progress and its loss curve a few times a second. The last
    /// state is shown however the run ends. An exception in the display ends the display, not the training.
    /// </summary>
    /// <param name="run">The steps that a trainer's <c>Run</c> yields; enumerated once, lazily.</param>
    /// <param name="name">Name of the run.</param>
    /// <param name="lossUnit">Unit of the loss; null for the unit in the reports.</param>
    /// <param name="operationsPerSecond">
    /// The machine's peak rate, to show the share of it that the run reaches: <see cref="Trainer.PeakMatmulRate"/>.
    /// Null shows no share.
    /// </param>
    public static IEnumerable<StepReport> Watch(
        this IEnumerable<StepReport> run, string name = "training", string? lossUnit = null, double? operationsPerSecond = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (operationsPerSecond is not (null or > 0))
            throw new ArgumentOutOfRangeException(nameof(operationsPerSecond), operationsPerSecond, "The machine's peak "
                + "rate must be positive.");
        return Watched(run, [], name, lossUnit ?? "", operationsPerSecond);
    }

    /// <summary>
    /// Trains to the last step, shows progress and loss curve meanwhile, and returns the history of the run. After a
    /// resume both begin with the run's first step.
    /// </summary>
    /// <param name="trainer">The trainer; the unit of the loss is that of its objective.</param>
    /// <param name="name">Name of the run.</param>
    /// <param name="showsRate">
    /// Whether to show the share of the machine's peak rate; measuring that rate takes up to a second at the start.
    /// </param>
    /// <inheritdoc cref="Trainer.Run" path="/exception"/>
    public static TrainingHistory Watch(this Trainer trainer, string name = "training", bool showsRate = false)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        double? rate = showsRate ? trainer.PeakMatmulRate() : null;
        foreach (var _ in Watched(trainer.Run(), trainer.History().Reports, name, "", rate)) { }
        return trainer.History(name);
    }

    private static IEnumerable<StepReport> Watched(IEnumerable<StepReport> run, IReadOnlyList<StepReport> before, string name,
        string lossUnit, double? operationsPerSecond)
    {
        var reports = before.ToList();
        var history = new TrainingHistory(name, reports, lossUnit);
        var display = new Screen(history, operationsPerSecond);
        try
        {
            foreach (var report in run)
            {
                if (history.LossUnit.Length == 0)
                {
                    history = history with { LossUnit = report.LossUnit };
                    display = new Screen(history, operationsPerSecond);
                }
                reports.Add(report);
                display.Refresh();
                yield return report;
            }
        }
        finally
        {
            display.Finish();
        }
    }

    /// <summary>
    /// The live display of one run: shown with the first step and refreshed at most once per interval.
    /// </summary>
    private sealed class Screen(TrainingHistory history, double? operationsPerSecond)
    {
        private readonly Stopwatch sinceShown = new();
        private Action<object, bool>? replace;
        private bool broken;

        public void Refresh()
        {
            if (replace is null || sinceShown.Elapsed >= Interval) Show(TrainingState.Running);
        }

        public void Finish()
        {
            if (history.Reports.Count == 0) return;
            var last = history.Reports[^1];
            Show(last.Step >= last.Steps ? TrainingState.Finished : TrainingState.Stopped);
        }

        private void Show(TrainingState state)
        {
            if (broken) return;
            try
            {
                var progress = new TrainingProgress(history with { Reports = [.. history.Reports] }, state)
                {
                    OperationsPerSecond = operationsPerSecond,
                    PeakMemory = Compute.PeakMemory,
                };
                if (replace is null) replace = LiveDisplay.Show(progress);
                else replace(progress, state != TrainingState.Running);
            }
            catch (Exception error) when (error is not OperationCanceledException)   // a cancellation is meant for the run
            {
                broken = true;
                Console.Error.WriteLine($"The live display of '{history.Name}' ended: {error.Message}");
            }
            sinceShown.Restart();
        }
    }
}
