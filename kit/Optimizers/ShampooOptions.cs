using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Shampoo"/>.</summary>
public sealed record ShampooOptions : OptimizerSettings
{
    /// <summary>A rate of 0.1.</summary>
    public ShampooOptions() => LearningRate = 0.1;

    /// <summary>What the statistics of every axis begin with, times the identity.</summary>
    public double Epsilon { get; init; } = 1e-4;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Shampoo(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Positive(Epsilon);
    }
}
