using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="ScheduleFreeSgd"/>; the defaults are the reference's.</summary>
public sealed record ScheduleFreeSgdOptions : ScheduleFreeOptions
{
    /// <summary>The reference's default: a rate of 1.</summary>
    public ScheduleFreeSgdOptions() => LearningRate = 1;

    /// <summary>How near the average gradients are taken: 0 at the last iterate, 1 at the average.</summary>
    public double Momentum { get; init; } = 0.9;

    internal override double Interpolation => Momentum;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new ScheduleFreeSgd(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Check(Momentum is > 0 and < 1, Momentum, nameof(Momentum), "above 0 and below 1");
    }
}
