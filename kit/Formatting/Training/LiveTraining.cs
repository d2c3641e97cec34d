using System.Diagnostics;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Shows a run while it trains.</summary>
public static class LiveTraining
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Passes the steps of a run through and shows its progress and its curve so far, a few times a second; the last state is
    /// shown however the run ends. What a display throws does not stop the training: it ends the display.
    /// </summary>
    /// <param name="run">What a trainer's <c>Run</c> yields; read once, as it is asked for.</param>
    /// <param name="name">What the run is called.</param>
    /// <param name="lossUnit">Unit of the loss; null for the one that the reports name.</param>
    /// <param name="operationsPerSecond">
    /// What the machine could do, of which the share that the run reaches is shown: <see cref="Trainer.PeakMatmulRate"/>. Null for no share.
    /// </param>
    public static IEnumerable<StepReport> Watch(
        this IEnumerable<StepReport> run, string name = "training", string? lossUnit = null, double? operationsPerSecond = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (operationsPerSecond is not (null or > 0)) throw new ArgumentOutOfRangeException(nameof(operationsPerSecond), operationsPerSecond, "The machine's rate must be positive.");
        return Watched(run, new TrainingHistory(name, new List<StepReport>(), lossUnit ?? ""), operationsPerSecond);
    }

    /// <summary>Trains to the last step, shows progress and curve while it runs, and returns the curve.</summary>
    /// <param name="trainer">The trainer; the unit of its loss is its objective's.</param>
    /// <param name="name">What the run is called.</param>
    /// <param name="showsRate">Whether the share of the machine's rate is shown; measuring that rate takes up to a second at the start.</param>
    /// <inheritdoc cref="Trainer.Run" path="/exception"/>
    public static TrainingHistory Watch(this Trainer trainer, string name = "training", bool showsRate = false)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        foreach (var _ in trainer.Run().Watch(name, operationsPerSecond: showsRate ? trainer.PeakMatmulRate() : null)) { }
        return trainer.History(name);
    }

    private static IEnumerable<StepReport> Watched(IEnumerable<StepReport> run, TrainingHistory history, double? operationsPerSecond)
    {
        var reports = (List<StepReport>)history.Reports;
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

    /// <summary>The display of one run: shown with its first step, refreshed at most every interval.</summary>
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
            catch (Exception error) when (error is not OperationCanceledException)   // an interrupt is for the run
            {
                broken = true;
                Console.Error.WriteLine($"The live display of '{history.Name}' ended: {error.Message}");
            }
            sinceShown.Restart();
        }
    }
}
