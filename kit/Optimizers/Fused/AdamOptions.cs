using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>Settings of optimizers that remember a mean gradient and a mean square, as Adam does.</summary>
public abstract record AdamOptions : OptimizerSettings
{
    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the denominator from zero.</summary>
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
