using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedSgd"/>; the defaults are PyTorch's.</summary>
public sealed record FusedSgdOptions : OptimizerSettings
{
    /// <summary>How much of the last step's direction a step keeps.</summary>
    public double Momentum { get; init; }

    /// <summary>Share of the gradient that does not enter the direction, after the first step.</summary>
    public double Dampening { get; init; }

    /// <summary>Whether the gradient is taken once more on top of the direction (Nesterov, 1983); needs momentum and no dampening.</summary>
    public bool Nesterov { get; init; }

    /// <summary>Whether a step goes up the gradient.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new FusedSgd(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.NotNegative(Momentum);
        Setting.Check(double.IsFinite(Dampening), Dampening, nameof(Dampening), "a number");
        if (Nesterov && (Momentum == 0 || Dampening != 0))
            throw new ArgumentException(FormattableString.Invariant($"Nesterov needs a Momentum above 0 and a Dampening of 0; they are {Momentum} and {Dampening}."));
    }
}
