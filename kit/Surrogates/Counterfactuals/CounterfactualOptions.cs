using ResearchKit.Tensors;

namespace ResearchKit.Surrogates;

/// <summary>What the distance between two rows is.</summary>
public enum DistanceNorm
{
    /// <summary>Sum of the absolute changes.</summary>
    L1,

    /// <summary>Root of the sum of the squared changes.</summary>
    L2,
}

/// <summary>How counterfactuals are searched.</summary>
public sealed record CounterfactualOptions
{
    /// <summary>Number of counterfactuals.</summary>
    public int Count { get; init; } = 4;

    /// <summary>The class to reach; null for any other.</summary>
    public int? Target { get; init; }

    /// <summary>Names of the features that must not change.</summary>
    public IReadOnlyCollection<string> Frozen { get; init; } = [];

    /// <summary>Lowest and highest value of features, by name; those without have the range of the background rows.</summary>
    public IReadOnlyDictionary<string, (double Low, double High)> Ranges { get; init; } =
        new Dictionary<string, (double Low, double High)>();

    /// <summary>Largest number of rows that the model sees.</summary>
    public int MaxRows { get; init; } = 20_000;

    /// <summary>Weight of the distance to those already chosen, against the distance to the row and the number of
    /// changes.</summary>
    public double Diversity { get; init; } = 0.5;

    /// <summary>
    /// For linear models: how far behind the boundary the output lies. For others the point is only checked on the model.
    /// </summary>
    public double Margin { get; init; } = 1e-7;

    /// <summary>Norm of the distance, for linear models and trees.</summary>
    public DistanceNorm Norm { get; init; } = DistanceNorm.L2;

    /// <summary>Seed of the search.</summary>
    public int Seed { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Names of the classes; null for 0, 1, ….</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Stops the work between two batches.</summary>
    public CancellationToken Cancellation { get; init; }

    internal CounterfactualOptions Validated()
    {
        Require.Sizes((Count, nameof(Count)), (MaxRows, nameof(MaxRows)));
        Require.NotNegative(Diversity);
        Require.NotNegative(Margin);
        foreach (var (name, (low, high)) in Ranges)
            if (!(low <= high))
                throw new ArgumentException(FormattableString.Invariant($"The range of '{name}' is {low} to {high}; expected low ≤ high."));
        return this;
    }
}

/// <summary>One change of a feature.</summary>
/// <param name="Feature">Name of the feature.</param>
/// <param name="From">Value of the row.</param>
/// <param name="To">Value of the counterfactual.</param>
public sealed record FeatureChange(string Feature, double From, double To)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Feature} {From:G5} → {To:G5}");
}

/// <summary>A row close to the original one that gets another class.</summary>
/// <param name="Values">Its features.</param>
/// <param name="Class">The class that the model gives to it.</param>
/// <param name="Changes">The features that differ.</param>
/// <param name="Distance">Distance to the original row.</param>
public sealed record Counterfactual(IReadOnlyList<double> Values, int Class, IReadOnlyList<FeatureChange> Changes,
    double Distance)
{
    /// <inheritdoc/>
    public override string ToString() => $"class {Class} with {string.Join(", ", Changes)}";
}
