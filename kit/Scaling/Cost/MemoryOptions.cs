using ResearchKit.Optimizers;
using ResearchKit.Tensors;
using ResearchKit.Training;

namespace ResearchKit.Scaling;

/// <summary>How the output of a model becomes a loss, as far as memory depends on it.</summary>
public enum LossKind
{
    /// <summary>Cross entropy of the last axis: keeps the logarithms of all probabilities.</summary>
    CrossEntropy,

    /// <summary>Mean squared error: keeps the differences.</summary>
    SquaredError,

    /// <summary>A mean: keeps nothing.</summary>
    Mean,
}

/// <summary>What the memory of a training step depends on besides the model and its input.</summary>
public sealed record MemoryOptions
{
    /// <summary>The optimizer; the trainer's own is <see cref="FusedAdamWOptions"/>.</summary>
    public OptimizerSettings Optimizer { get; init; } = new FusedAdamWOptions();

    /// <summary>Precision of the computation.</summary>
    public Precision Precision { get; init; }

    /// <summary>Number of batches whose gradients are summed for a step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>The loss.</summary>
    public LossKind Loss { get; init; }

    /// <summary>Whether the trainer keeps an average of the weights (EMA).</summary>
    public bool AveragesWeights { get; init; }

    internal MemoryOptions Validated()
    {
        Require.AtLeast(1, Accumulation);
        Require.That(Enum.IsDefined(Precision), Precision, nameof(Precision), string.Join(", ", Enum.GetNames<Precision>()));
        Require.That(Enum.IsDefined(Loss), Loss, nameof(Loss), string.Join(", ", Enum.GetNames<LossKind>()));
        return this;
    }
}
