using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>Settings of schedule-free optimizers.</summary>
public abstract record ScheduleFreeOptions : OptimizerSettings
{
    /// <summary>Steps over which the rate rises in a line.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Later steps weigh more in the average, by the number of the step to this power (r).</summary>
    public double StepPower { get; init; }

    /// <summary>Steps weigh in the average by the largest rate so far to this power.</summary>
    public double RatePower { get; init; } = 2;

    /// <summary>How far the point that gradients are taken at lies from the last iterate towards the average.</summary>
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
