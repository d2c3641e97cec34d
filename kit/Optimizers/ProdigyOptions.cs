using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Prodigy"/>; the defaults are the reference's.</summary>
public sealed record ProdigyOptions : AdamOptions
{
    /// <summary>The reference's default: a rate of 1, which a schedule may lower.</summary>
    public ProdigyOptions() => LearningRate = 1;

    /// <summary>How much of the sums that the distance is estimated from a step keeps; null for the root of β2.</summary>
    public double? Beta3 { get; init; }

    /// <summary>Whether weight decay is apart from the gradient, as in AdamW.</summary>
    public bool DecoupledDecay { get; init; } = true;

    /// <summary>Whether moments that began as zeros are corrected, through the rate.</summary>
    public bool BiasCorrection { get; init; }

    /// <summary>Whether the rate is left out of the estimate's denominator, for runs with a warm-up.</summary>
    public bool SafeguardWarmup { get; init; }

    /// <summary>First estimate of the distance to the solution.</summary>
    public double InitialDistance { get; init; } = 1e-6;

    /// <summary>Factor on the estimate; the setting to change if the rate should be higher or lower.</summary>
    public double DistanceFactor { get; init; } = 1;

    /// <summary>Largest growth of the estimate in a step; infinite for any.</summary>
    public double GrowthRate { get; init; } = double.PositiveInfinity;

    /// <summary>Only every n-th number of a parameter enters the estimate, which saves memory; 1 for all.</summary>
    public int Slice { get; init; } = 1;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Prodigy(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Positive(Epsilon);
        Setting.Positive(InitialDistance);
        Setting.Positive(DistanceFactor);
        Setting.Check(GrowthRate >= 1, GrowthRate, nameof(GrowthRate), "at least 1");
        Setting.AtLeast(1, Slice);
        if (Beta3 is { } beta3) Setting.Fraction(beta3, nameof(Beta3));
        foreach (var group in Groups)
            Setting.Check(group.LearningRateFactor is 0 or 1, group.LearningRateFactor, nameof(group.LearningRateFactor), "0 or 1, since the distance is one for all");
    }
}
