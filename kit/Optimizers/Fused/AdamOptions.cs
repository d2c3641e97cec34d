using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>
/// Settings of optimizers that keep a mean gradient and a mean squared gradient, as Adam does.
/// </summary>
public abstract record AdamOptions : OptimizerSettings
{
    /// <summary>Decay rate of the mean gradient: the share that a step keeps.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the mean squared gradient: the share that a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Fraction(Beta1);
        Require.Fraction(Beta2);
        Require.NotNegative(Epsilon);
    }
}
