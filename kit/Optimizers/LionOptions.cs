using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Lion"/>; the defaults are the reference's. A good rate is 3 to 10 times below AdamW's, a good decay as much above.</summary>
public sealed record LionOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: a rate of 0.0001, no decay.</summary>
    public LionOptions() => LearningRate = 1e-4;

    /// <summary>Share of the mean gradient in a step's direction.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Lion(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Fraction(Beta1);
        Setting.Fraction(Beta2);
    }
}
