using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>
/// One-cycle schedule: the learning rate rises to a peak and falls far below its initial value, while the
/// momentum does the opposite.
/// </summary>
/// <remarks>
/// Smith and Topin, 2018, https://arxiv.org/abs/1708.07120; torch's <c>OneCycleLR</c>. <see cref="Rate"/> and
/// <see cref="Momentum"/> are functions of the step, like those of <see cref="Schedules"/>.
/// </remarks>
public sealed record OneCycle
{
    /// <summary>Highest learning rate.</summary>
    public required double Peak { get; init; }

    /// <summary>Total number of steps; after them the last values stay.</summary>
    public required int Steps { get; init; }

    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public double RiseShare { get; init; } = 0.3;

    /// <summary>Shape of the rise and the fall.</summary>
    public RateShape Shape { get; init; } = RateShape.Cosine;

    /// <summary>The initial learning rate is the peak divided by this.</summary>
    public double FirstDivisor { get; init; } = 25;

    /// <summary>The final learning rate is the initial one divided by this.</summary>
    public double LastDivisor { get; init; } = 1e4;

    /// <summary>
    /// Whether the rate falls in two phases: to the initial rate, in as many steps as the rise, and then to the
    /// final rate. Otherwise it falls in one phase.
    /// </summary>
    public bool ThreePhases { get; init; }

    /// <summary>Momentum at the peak of the learning rate.</summary>
    public double LowMomentum { get; init; } = 0.85;

    /// <summary>Momentum at the start and at the end.</summary>
    public double HighMomentum { get; init; } = 0.95;

    /// <summary>Returns the learning rate of a step, counted from 1.</summary>
    public double Rate(int step) => At(step, Peak / FirstDivisor, Peak, Peak / FirstDivisor / LastDivisor);

    /// <summary>Returns the momentum (β1 for Adam) of a step, counted from 1.</summary>
    public double Momentum(int step) => At(step, HighMomentum, LowMomentum, HighMomentum);

    private double At(int step, double first, double middle, double last)
    {
        Require.AtLeast(2, Steps);
        Require.That(RiseShare is > 0 and < 1, RiseShare, nameof(RiseShare), "above 0 and below 1");
        Require.Positive(FirstDivisor);
        Require.Positive(LastDivisor);
        var since = (double)step - 1;
        var rise = (RiseShare * Steps) - 1;
        var end = (double)Steps - 1;
        if (since <= rise && rise > 0) return Between(first, middle, since / rise);
        if (!ThreePhases) return Between(middle, last, (since - rise) / (end - rise));
        var back = 2 * rise;
        return since <= back ? Between(middle, first, (since - rise) / rise)
            : Between(first, last, (since - back) / (end - back));
    }

    private double Between(double from, double to, double progress) =>
        from + ((to - from) * Schedules.Travelled(Math.Clamp(progress, 0, 1), Shape, to > from));
}
