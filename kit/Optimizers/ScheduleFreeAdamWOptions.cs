using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="ScheduleFreeAdamW"/>; the defaults are the reference's.</summary>
public sealed record ScheduleFreeAdamWOptions : ScheduleFreeOptions
{
    /// <summary>The reference's default: a rate of 0.0025.</summary>
    public ScheduleFreeAdamWOptions() => LearningRate = 0.0025;

    /// <summary>How near the average gradients are taken: 0 at the last iterate, 1 at the average.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the denominator from zero.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>How much of a mean gradient a step keeps besides; 0 for none.</summary>
    public double InnerMomentum { get; init; }

    internal override double Interpolation => Beta1;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new ScheduleFreeAdamW(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Check(Beta1 is > 0 and < 1, Beta1, nameof(Beta1), "above 0 and below 1");
        Setting.Fraction(Beta2);
        Setting.NotNegative(Epsilon);
        Setting.Fraction(InnerMomentum);
    }
}
