namespace ResearchKit.Training;

/// <summary>How a <see cref="Trainer"/> runs.</summary>
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

    /// <summary>Weight decay of matrices; biases and norms do not decay.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Longest gradient; a longer one is shortened to this. Null for any length.</summary>
    public double? GradientClip { get; init; } = 1;

    /// <summary>Steps from one evaluation on held-out data to the next; the last step evaluates too. Null for never.</summary>
    public int? EvaluateEvery { get; init; } = 250;

    /// <summary>Batches of an evaluation.</summary>
    public int EvaluationBatches { get; init; } = 50;

    /// <summary>Where checkpoints go, and how often; null for none.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    internal TrainerOptions Validated()
    {
        if (Steps < 1) throw new ArgumentException($"Steps is {Steps}; it must be at least 1.");
        if (LearningRate is not > 0) throw new ArgumentException($"LearningRate is {LearningRate}; it must be positive.");
        if (FinalLearningRate is not >= 0) throw new ArgumentException($"FinalLearningRate is {FinalLearningRate}; it must not be negative.");
        if (WarmupSteps < 0) throw new ArgumentException($"WarmupSteps is {WarmupSteps}; it must not be negative.");
        if (GradientClip is not (null or > 0)) throw new ArgumentException($"GradientClip is {GradientClip}; it must be positive.");
        if (EvaluateEvery < 1) throw new ArgumentException($"EvaluateEvery is {EvaluateEvery}; it must be at least 1.");
        if (EvaluationBatches < 1) throw new ArgumentException($"EvaluationBatches is {EvaluationBatches}; it must be at least 1.");
        if (Checkpoints?.Every < 1) throw new ArgumentException($"Checkpoints.Every is {Checkpoints.Every}; it must be at least 1.");
        return this;
    }
}

/// <summary>Where checkpoints go, and how often.</summary>
/// <param name="Folder">Holds a folder a checkpoint, <c>step-00000500</c>.</param>
/// <param name="Every">Steps from one to the next; the last step makes one too.</param>
public sealed record CheckpointOptions(string Folder, int Every = 500);
