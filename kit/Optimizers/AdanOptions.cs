using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Adan"/>; the defaults are the reference's.</summary>
public sealed record AdanOptions : OptimizerSettings
{
    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.98;

    /// <summary>How much of the mean difference of successive gradients a step keeps.</summary>
    public double Beta2 { get; init; } = 0.92;

    /// <summary>How much of the mean square of the gradient looked ahead a step keeps.</summary>
    public double Beta3 { get; init; } = 0.99;

    /// <summary>Keeps the denominator from zero.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Longest gradient over all parameters; a longer one is shortened. Null for any length.</summary>
    public double? MaximumGradientNorm { get; init; }

    /// <summary>Whether decay divides after the step, as in the paper; else it multiplies before, as in AdamW.</summary>
    public bool ProximalDecay { get; init; } = true;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Adan(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Fraction(Beta1);
        Setting.Fraction(Beta2);
        Setting.Fraction(Beta3);
        Setting.NotNegative(Epsilon);
        if (MaximumGradientNorm is { } norm) Setting.Positive(norm, nameof(MaximumGradientNorm));
    }
}
