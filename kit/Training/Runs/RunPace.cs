using System.Diagnostics;

namespace ResearchKit.Training;

/// <summary>Measures the time and throughput of a run.</summary>
internal sealed class RunPace(int firstStep)
{
    private readonly Stopwatch clock = Stopwatch.StartNew(), training = new();
    private long started, targets;
    private TimeSpan waited;

    /// <summary>Called when a step starts to wait for its data.</summary>
    public void Start()
    {
        training.Start();
        started = Stopwatch.GetTimestamp();
    }

    /// <summary>Called when the data of the step are available.</summary>
    public void HaveData() => waited += Stopwatch.GetElapsedTime(started);

    /// <summary>Called when the step is done.</summary>
    public void Stop(long stepTargets)
    {
        training.Stop();
        targets += stepTargets;
    }

    /// <summary>Makes the report of the step.</summary>
    public StepReport Report(int step, int steps, TrainingStep.Result result, double learningRate) =>
        new(step, steps, result.Loss, learningRate, result.GradientNorm, targets / training.Elapsed.TotalSeconds, clock.Elapsed)
        {
            FirstStep = firstStep,
            Waited = waited,
            OperationsPerTarget = result.OperationsPerTarget,
            Norms = result.Norms,
            Skipped = result.Skipped,
            Noise = result.Noise,
        };
}
