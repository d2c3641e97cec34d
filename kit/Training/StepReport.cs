using System.Globalization;

namespace ResearchKit.Training;

/// <summary>Report of one training step.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="Steps">Number of the last step of the run.</param>
/// <param name="Loss">Mean loss of the step's batch, before its update; nats per token for language models.</param>
/// <param name="LearningRate">Learning rate of the update.</param>
/// <param name="GradientNorm">Euclidean norm of all gradients together, before clipping.</param>
/// <param name="TokensPerSecond">
/// Targets per second since the run started or was resumed, over all ranks, without the time of evaluations and checkpoints:
/// tokens of a language model, examples of a classifier. Targets of padding (-100) count too.
/// </param>
/// <param name="Elapsed">Time since the run started or was resumed.</param>
/// <param name="HeldOutLoss">
/// Mean loss on held-out data after the update; null if the step did not evaluate.
/// </param>
public readonly record struct StepReport(
    int Step, int Steps, double Loss, double LearningRate, double GradientNorm, double TokensPerSecond, TimeSpan Elapsed,
    double? HeldOutLoss = null)
{
    /// <summary>Number of steps done before this run: 0, or the step from which it was resumed.</summary>
    public int FirstStep { get; init; }

    /// <summary>Unit of the losses.</summary>
    public string LossUnit { get; init; } = Objective.DefaultUnit;

    /// <summary>
    /// Values of the objective's metrics on held-out data after the update; null if the step did not evaluate.
    /// </summary>
    public IReadOnlyList<MetricValue>? Metrics { get; init; }

    /// <summary>Time that the run has waited for data, part of <see cref="Elapsed"/>.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>FLOPs of matrix products per target, forward and backward; 0 if unknown.</summary>
    public double OperationsPerTarget { get; init; }

    /// <summary>Norms of each module; null if they were not requested for this step.</summary>
    public IReadOnlyList<ModuleNorms>? Norms { get; init; }

    /// <summary>
    /// Gradient noise of the step, if <see cref="TrainerOptions.MeasuresNoise"/>; see <see cref="TrainingHistory.NoiseScale"/>.
    /// </summary>
    public GradientNoise? Noise { get; init; }

    /// <summary>True if float16 gradients overflowed and the update was skipped.</summary>
    public bool Skipped { get; init; }

    /// <summary>FLOPs per second.</summary>
    public double OperationsPerSecond => OperationsPerTarget * TokensPerSecond;

    /// <summary>Estimated remaining time at the average pace of this run.</summary>
    public TimeSpan Left => Elapsed / Math.Max(1, Step - FirstStep) * (Steps - Step);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"step {Step}/{Steps} · loss {Loss:0.000}{(HeldOutLoss is { } held ? $" · held-out {held:0.000}" : "")}{string.Concat((Metrics ?? []).Select(metric => $" · {metric}"))} · "
        + $"{TokensPerSecond:N0} tokens/s · {Math.Floor(Left.TotalMinutes):0}:{Left:ss} left");
}
