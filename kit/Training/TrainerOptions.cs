using ResearchKit.Metrics;
using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// How a <see cref="Trainer"/> runs. Unset, it is the recipe of small GPTs: AdamW, warm-up, then half a cosine.
/// </summary>
public sealed record TrainerOptions
{
    /// <summary>Number of the last step.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Learning rate at the end of the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Learning rate at the last step, reached on a cosine.</summary>
    public double FinalLearningRate { get; init; } = 1e-4;

    /// <summary>Steps in which the learning rate rises from zero.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>Learning rate of each step, from 1, in place of the three above; see <see cref="Schedules"/>.</summary>
    public Func<int, double>? Schedule { get; init; }

    /// <summary>Weight decay of matrices; biases and norms do not decay.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>
    /// Makes the optimizer from the model's named parameters, in place of AdamW with the two settings above; the schedule sets
    /// its rate. The trainer disposes it.
    /// </summary>
    public Func<IEnumerable<(string Name, Parameter Parameter)>, Optimizer>? Optimizer { get; init; }

    /// <summary>Longest gradient; a longer one is shortened to this. Null for any length.</summary>
    public double? GradientClip { get; init; } = 1;

    /// <summary>
    /// Batches of the loader whose gradients one step takes together: as one batch of that many times the size.
    /// </summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>In which type the model computes.</summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// How much of the weights' moving average a step keeps, such as 0.999; the average is then what is evaluated. Null for none.
    /// </summary>
    public double? AverageDecay { get; init; }

    /// <summary>Steps from one evaluation on held-out data to the next; the last step evaluates too. Null for never.</summary>
    public int? EvaluateEvery { get; init; } = 250;

    /// <summary>Batches of an evaluation.</summary>
    public int EvaluationBatches { get; init; } = 50;

    /// <summary>Evaluations in a row without a new best after which the run ends; null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>
    /// The metric of the objective that decides which evaluation is the best, for <see cref="Patience"/> and the best checkpoint; null for the
    /// held-out loss.
    /// </summary>
    public Metric<Tensor>? BestBy { get; init; }

    /// <summary>Steps from one report of each module's norms to the next; null for never.</summary>
    public int? NormsEvery { get; init; }

    /// <summary>Called at every step, in this order.</summary>
    public IReadOnlyList<TrainingCallback> Callbacks { get; init; } = [];

    /// <summary>Where checkpoints go, and how often; null for none.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>
    /// Floating-point operations for one target, forward and backward, from which a run's share of the machine's rate follows;
    /// null to count them in the run's first step, see <see cref="Layers.FlopCounter"/>: thrice those of the forward pass,
    /// because each product has two in its gradient. Of a model in whose layers none is counted, it is six times the weights of
    /// its matrices.
    /// </summary>
    public double? OperationsPerTarget { get; init; }

    /// <summary>The other processes of a data-parallel run; null for a run of one process.</summary>
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
        if (!Enum.IsDefined(Precision)) throw new ArgumentException(
            $"Precision is {Precision}; it must be one of {string.Join(", ", Enum.GetNames<Precision>())}.");
        if (AverageDecay is not (null or (> 0 and < 1)))
            throw new ArgumentException($"AverageDecay is {AverageDecay}; it must be above 0 and below 1.");
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

    /// <summary>What in these options is probably not meant, a sentence each.</summary>
    internal IEnumerable<string> Doubts(Optimizer optimizer)
    {
        if (Schedule is null && WarmupSteps >= Steps)
            yield return $"The warm-up of {WarmupSteps} steps is as long as the run of {Steps} steps or longer: the learning rate never falls.";
        var rates = Rates;
        var last = Steps;
        while (last > 0 && rates(last) == 0) last--;
        if (last < Steps - 1) yield return $"The schedule ends early: the learning rate is 0 after step {last} of {Steps}.";
        var highest = Enumerable.Range(1, Steps).Max(rates);
        if (optimizer is ForeachOptimizer { Settings: { HasChosenRate: true } settings } && Math.Abs(settings.LearningRate - highest) > 1e-6 * highest)
            yield return FormattableString.Invariant($"The optimizer was made with a learning rate of {settings.LearningRate}, which is not used: ")
                + FormattableString.Invariant($"the {(Schedule is null ? "trainer's options set" : "schedule sets")} rates up to {highest}.");
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

/// <summary>Where checkpoints go, and how often.</summary>
/// <param name="Folder">Holds a folder a checkpoint, <c>step-00000500</c>; one run at a time writes there.</param>
/// <param name="Every">Steps from one to the next; the last step makes one too.</param>
public sealed record CheckpointOptions(string Folder, int Every = 500)
{
    /// <summary>How many are kept; older ones are removed once a newer one is whole. Null for all.</summary>
    public int? Keep { get; init; } = 3;

    /// <summary>Whether the one with the lowest held-out loss is kept besides, as <c>best-00000500</c>.</summary>
    public bool Best { get; init; } = true;
}
