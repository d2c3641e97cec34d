using System.Diagnostics;

namespace ResearchKit.Training;

/// <summary>Where the time of a run goes.</summary>
internal sealed class RunPace(int firstStep)
{
    private readonly Stopwatch clock = Stopwatch.StartNew(), training = new();
    private long started, targets;
    private TimeSpan waited;

    /// <summary>A step begins: it waits for its data.</summary>
    public void Start()
    {
        training.Start();
        started = Stopwatch.GetTimestamp();
    }

    /// <summary>Its data are there.</summary>
    public void HaveData() => waited += Stopwatch.GetElapsedTime(started);

    /// <summary>It is done.</summary>
    public void Stop(long stepTargets)
    {
        training.Stop();
        targets += stepTargets;
    }

    /// <summary>What it did.</summary>
    public StepReport Report(int step, int steps, TrainingStep.Result result, double learningRate, EvaluationReport? heldOut) =>
        new(step, steps, result.Loss, learningRate, result.GradientNorm, targets / training.Elapsed.TotalSeconds, clock.Elapsed, heldOut?.Loss)
        {
            FirstStep = firstStep,
            Waited = waited,
            OperationsPerTarget = result.OperationsPerTarget,
            Norms = result.Norms,
            Skipped = result.Skipped,
            Metrics = heldOut?.Metrics,
        };
}
