using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Soap"/>; the defaults are the reference's.</summary>
public sealed record SoapOptions : AdamOptions
{
    /// <summary>The reference's defaults: a rate of 0.003, a decay of 0.01, both betas 0.95.</summary>
    public SoapOptions() => (LearningRate, WeightDecay, Beta1, Beta2) = (3e-3, 0.01, 0.95, 0.95);

    /// <summary>How much of an axis's statistics a step keeps; null for β2.</summary>
    public double? ShampooBeta { get; init; }

    /// <summary>The basis is made anew every so many steps.</summary>
    public int PreconditionFrequency { get; init; } = 10;

    /// <summary>Axes longer than this are left as they are.</summary>
    public int MaximumDimension { get; init; } = 10_000;

    /// <summary>Whether neighbouring axes are taken together up to that length.</summary>
    public bool MergeDimensions { get; init; }

    /// <summary>Whether vectors have a basis too.</summary>
    public bool PreconditionVectors { get; init; }

    /// <summary>Whether every update has a root mean square of 1, before the learning rate.</summary>
    public bool NormalizeUpdates { get; init; }

    /// <summary>Whether moments that began as zeros are corrected.</summary>
    public bool BiasCorrection { get; init; } = true;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Soap(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        if (ShampooBeta is { } beta) Setting.Fraction(beta, nameof(ShampooBeta));
        Setting.AtLeast(1, PreconditionFrequency);
        Setting.AtLeast(1, MaximumDimension);
    }

    /// <summary>The axes that a tensor is seen with.</summary>
    internal long[] AxesOf(long[] shape)
    {
        if (!MergeDimensions || shape.Length == 1) return shape;
        var (merged, current) = (new List<long>(), 1L);
        foreach (var length in shape)
        {
            if (current * length <= MaximumDimension) current *= length;
            else if (current > 1) (merged, current) = ([.. merged, current], length);
            else merged.Add(length);
        }
        if (current > 1 || merged.Count == 0) merged.Add(current);
        return [.. merged];
    }

    /// <summary>Whether an axis of a tensor that is seen with these has a basis.</summary>
    internal bool HasBasis(long[] axes, int axis) => axes[axis] <= MaximumDimension && (axes.Length > 1 || PreconditionVectors);
}
