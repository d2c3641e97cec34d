using System.Globalization;
using ResearchKit.Metrics;
using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Options of a <see cref="Trainer"/>. The defaults are the usual recipe for small GPTs: AdamW with warm-up and
/// cosine decay.
/// </summary>
public sealed record TrainerOptions
{
    /// <summary>Total number of steps.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Learning rate at the end of the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Learning rate at the last step, at the end of the cosine decay.</summary>
    public double FinalLearningRate { get; init; } = 1e-4;

    /// <summary>Number of warm-up steps, in which the learning rate rises from zero.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>
    /// Learning-rate schedule: the learning rate of each step, counted from 1, instead of the three settings above;
    /// see <see cref="Schedules"/>.
    /// </summary>
    public Func<int, double>? Schedule { get; init; }

    /// <summary>Weight decay of matrices; biases and norms do not decay.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>AdamW's β₂: decay of the moving average of squared gradients.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>
    /// Creates the optimizer from the model's named parameters, instead of AdamW with the two settings above. The
    /// schedule sets its learning rate; the trainer disposes it.
    /// </summary>
    public Func<IEnumerable<(string Name, Parameter Parameter)>, Optimizer>? Optimizer { get; init; }

    /// <summary>
    /// Maximum norm of the gradient; a larger gradient is scaled down to it. Null for no clipping.
    /// </summary>
    public double? GradientClip { get; init; } = 1;

    /// <summary>
    /// Gradient accumulation: number of batches whose gradients are combined in one step, as one batch of that many
    /// times the size.
    /// </summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>
    /// Gradient accumulation to a number of targets, for unevenly long batches: a step takes batches until they have this many
    /// targets (those that are not -100), over all ranks. Null for <see cref="Accumulation"/> batches.
    /// </summary>
    public long? AccumulationTargets { get; init; }

    /// <summary>
    /// Whether steps report the noise of their gradient (<see cref="StepReport.Noise"/>), from the difference between a part of
    /// the step and the whole. Needs accumulation or several ranks, and costs one norm of the gradients a step.
    /// </summary>
    public bool MeasuresNoise { get; init; }

    /// <summary>Precision of the computation.</summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// Decay of the moving average of the weights (EMA) per step, such as 0.999; evaluation then uses the average.
    /// Null for none.
    /// </summary>
    public double? AverageDecay { get; init; }

    /// <summary>
    /// Number of steps between evaluations on held-out data; the last step evaluates too. Null for never.
    /// </summary>
    public int? EvaluateEvery { get; init; } = 250;

    /// <summary>Number of batches in an evaluation.</summary>
    public int EvaluationBatches { get; init; } = 50;

    /// <summary>
    /// Early stopping: the run ends after this many consecutive evaluations without a new best; null for never.
    /// </summary>
    public int? Patience { get; init; }

    /// <summary>
    /// The metric by which evaluations are compared, for <see cref="Patience"/> and the best checkpoint; null for
    /// the held-out loss.
    /// </summary>
    public Metric<Tensor>? BestBy { get; init; }

    /// <summary>Number of steps between reports of each module's norms; null for never.</summary>
    public int? NormsEvery { get; init; }

    /// <summary>Called at every step, in this order.</summary>
    public IReadOnlyList<TrainingCallback> Callbacks { get; init; } = [];

    /// <summary>Options of checkpoints; null for none.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>
    /// FLOPs for one target, forward and backward, from which the utilization of the machine is computed. Null to
    /// count them in the run's first step (see <see cref="Layers.FlopCounter"/>): three times those of the forward
    /// pass, because each product needs two in the backward pass. If nothing is counted in a model's layers, six
    /// times the number of weights in its matrices.
    /// </summary>
    public double? OperationsPerTarget { get; init; }

    /// <summary>Communication with the other processes of a data-parallel run; null for a single process.</summary>
    public ICommunicator? Workers { get; init; }

    internal TrainerOptions Validated()
    {
        if (Steps < 1) throw new ArgumentException($"Steps is {Steps}; it must be at least 1.");
        if (LearningRate is not > 0) throw new ArgumentException($"LearningRate is {LearningRate}; it must be positive.");
        if (FinalLearningRate is not >= 0)
            throw new ArgumentException($"FinalLearningRate is {FinalLearningRate}; it must not be negative.");
        if (WarmupSteps < 0) throw new ArgumentException($"WarmupSteps is {WarmupSteps}; it must not be negative.");
        if (GradientClip is not (null or > 0))
            throw new ArgumentException($"GradientClip is {GradientClip}; it must be positive.");
        if (Accumulation < 1) throw new ArgumentException($"Accumulation is {Accumulation}; it must be at least 1.");
        if (AccumulationTargets < 1)
            throw new ArgumentException($"AccumulationTargets is {AccumulationTargets}; it must be at least 1.");
        if (AccumulationTargets is not null && Accumulation > 1)
            throw new ArgumentException($"Got Accumulation {Accumulation} and AccumulationTargets {AccumulationTargets}; "
                + "expected one of the two.");
        if (MeasuresNoise && Accumulation == 1 && AccumulationTargets is null && Workers is not { WorldSize: > 1 })
            throw new ArgumentException("MeasuresNoise needs a step of several parts: Accumulation, AccumulationTargets or "
                + "several ranks.");
        if (!Enum.IsDefined(Precision)) throw new ArgumentException(
            $"Precision is {Precision}; it must be one of {string.Join(", ", Enum.GetNames<Precision>())}.");
        if (AverageDecay is not (null or (> 0 and < 1)))
            throw new ArgumentException($"AverageDecay is {AverageDecay}; it must be between 0 and 1, exclusive.");
        if (EvaluateEvery < 1) throw new ArgumentException($"EvaluateEvery is {EvaluateEvery}; it must be at least 1.");
        if (EvaluationBatches < 1)
            throw new ArgumentException($"EvaluationBatches is {EvaluationBatches}; it must be at least 1.");
        if (Patience < 1) throw new ArgumentException($"Patience is {Patience}; it must be at least 1.");
        if (NormsEvery < 1) throw new ArgumentException($"NormsEvery is {NormsEvery}; it must be at least 1.");
        if (OperationsPerTarget is not (null or > 0))
            throw new ArgumentException($"OperationsPerTarget is {OperationsPerTarget}; it must be positive.");
        if (Checkpoints?.Every < 1)
            throw new ArgumentException($"Checkpoints.Every is {Checkpoints.Every}; it must be at least 1.");
        if (Checkpoints?.Keep < 1) throw new ArgumentException($"Checkpoints.Keep is {Checkpoints.Keep}; it must be at least 1.");
        return this;
    }

    internal Func<int, double> Rates => Schedule ?? Schedules.WarmupCosine(LearningRate, WarmupSteps, Steps, FinalLearningRate);

    /// <summary>Returns warnings about options that are probably mistakes, one sentence each.</summary>
    internal IEnumerable<string> Doubts(Optimizer optimizer)
    {
        if (Schedule is null && WarmupSteps >= Steps)
            yield return $"The warm-up of {WarmupSteps} steps is as long as the run of {Steps} steps or longer: the learning "
                + "rate never falls.";
        var rates = Rates;
        var last = Steps;
        while (last > 0 && rates(last) == 0) last--;
        if (last < Steps - 1) yield return $"The schedule ends early: the learning rate is 0 after step {last} of {Steps}.";
        if (Optimizer is null || optimizer is not ForeachOptimizer { Settings: { HasChosenRate: true } settings }) yield break;
        var highest = Enumerable.Range(1, Steps).Max(rates);
        if (Math.Abs(settings.LearningRate - highest) > 1e-6 * highest)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The optimizer was made with a learning rate of {settings.LearningRate}, which is not used: "
                + $"the {(Schedule is null ? "trainer's options set" : "schedule sets")} rates up to {highest}.");
    }

    internal Optimizer MakeOptimizer(nn.Module model)
    {
        var parameters = model.named_parameters().Select(pair => (pair.name, pair.parameter));
        return Optimizer?.Invoke(parameters) ?? new FusedAdamW(parameters, new FusedAdamWOptions
        {
            LearningRate = LearningRate,
            Beta2 = Beta2,
            WeightDecay = WeightDecay,
            Decays = ParameterRules.MatricesOnly,
        });
    }
}

/// <summary>Options of checkpoints.</summary>
/// <param name="Folder">
/// Folder with one subfolder for each checkpoint, such as <c>step-00000500</c>; only one run at a time can
/// write to it.
/// </param>
/// <param name="Every">Number of steps between checkpoints; the last step writes one too.</param>
public sealed record CheckpointOptions(string Folder, int Every = 500)
{
    /// <summary>
    /// Number of checkpoints to keep; older ones are removed after a newer one is complete. Null for all.
    /// </summary>
    public int? Keep { get; init; } = 3;

    /// <summary>Whether the checkpoint of the best evaluation is kept as well, as <c>best-00000500</c>.</summary>
    public bool Best { get; init; } = true;
}
