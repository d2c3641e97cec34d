using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>Settings of schedule-free optimizers.</summary>
public abstract record ScheduleFreeOptions : OptimizerSettings
{
    /// <summary>Number of steps over which the learning rate rises linearly.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>The weight of a step in the average is proportional to the step number to this power (r).</summary>
    public double StepPower { get; init; }

    /// <summary>
    /// The weight of a step in the average is proportional to the largest learning rate so far to this power.
    /// </summary>
    public double RatePower { get; init; } = 2;

    /// <summary>Where gradients are computed, between the last iterate (0) and the average (1).</summary>
    internal abstract double Interpolation { get; }

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.AtLeast(0, WarmupSteps);
        Require.NotNegative(StepPower);
        Require.NotNegative(RatePower);
    }
}
