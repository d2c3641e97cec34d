using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdamW"/>; the defaults are PyTorch's.</summary>
public sealed record FusedAdamWOptions : OptimizerOptions
{
    /// <summary>PyTorch's defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public FusedAdamWOptions() => WeightDecay = 0.01;

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the denominator from zero.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Whether the denominator is of the largest mean squared gradient so far (Reddi et al., 2018, https://arxiv.org/abs/1904.09237).</summary>
    public bool AmsGrad { get; init; }

    /// <summary>Whether a step goes up the gradient.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new FusedAdamW(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Fraction(Beta1);
        Setting.Fraction(Beta2);
        Setting.NotNegative(Epsilon);
    }
}
