using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="SophiaG"/>; the defaults are the reference's.</summary>
public sealed record SophiaGOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: a rate of 0.0001, a decay of 0.1.</summary>
    public SophiaGOptions() => (LearningRate, WeightDecay) = (1e-4, 0.1);

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.965;

    /// <summary>How much of the curvature an update of it keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>How large a ratio of gradient to curvature is before it is clipped: the larger, the fewer are.</summary>
    public double Rho { get; init; } = 0.04;

    /// <summary>Tokens or examples in the batch that the curvature is taken on, by which squared mean gradients are too small.</summary>
    public double BatchSize { get; init; } = 5120;

    /// <summary>Whether a step goes up the gradient.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new SophiaG(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Fraction(Beta1);
        Setting.Fraction(Beta2);
        Setting.NotNegative(Rho);
        Setting.Positive(BatchSize);
    }
}
