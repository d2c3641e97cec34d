using ResearchKit.Tensors;

namespace ResearchKit.Surrogates;

/// <summary>How an explainable boosting machine is fitted.</summary>
public sealed record ExplainableBoostingOptions
{
    /// <summary>Largest number of bins of a feature.</summary>
    public int MaxBins { get; init; } = 128;

    /// <summary>Largest number of bins of a feature in a pair.</summary>
    public int MaxPairBins { get; init; } = 16;

    /// <summary>Number of pairs of features; those that reduce the loss most.</summary>
    public int Interactions { get; init; } = 10;

    /// <summary>Largest number of rounds; in each, every term gets one small tree.</summary>
    public int MaxRounds { get; init; } = 1000;

    /// <summary>Factor of each tree.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>
    /// Is added to the curvature of the loss in a leaf (to the number of its rows, for numbers): larger ones give smaller steps
    /// where the model is already certain.
    /// </summary>
    public double Ridge { get; init; } = 1;

    /// <summary>Largest number of leaves of a tree of one feature.</summary>
    public int MaxLeaves { get; init; } = 3;

    /// <summary>Smallest number of rows of a leaf.</summary>
    public int MinSamplesLeaf { get; init; } = 4;

    /// <summary>Fits on different rows, over which the terms are averaged.</summary>
    public int OuterBags { get; init; } = 4;

    /// <summary>Share of the rows of a bag that decides when it stops.</summary>
    public double ValidationShare { get; init; } = 0.15;

    /// <summary>Rounds without a lower loss after which a bag stops.</summary>
    public int EarlyStoppingRounds { get; init; } = 50;

    /// <summary>Seed of the bags.</summary>
    public int Seed { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Names of the two classes; null for 0 and 1.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    internal ExplainableBoostingOptions Validated()
    {
        Require.AtLeast(2, MaxBins);
        Require.AtLeast(2, MaxPairBins);
        Require.AtLeast(0, Interactions);
        Require.AtLeast(2, MaxLeaves);
        Require.Sizes((MaxRounds, nameof(MaxRounds)), (MinSamplesLeaf, nameof(MinSamplesLeaf)), (OuterBags, nameof(OuterBags)),
            (EarlyStoppingRounds, nameof(EarlyStoppingRounds)));
        Require.Positive(Ridge);
        Require.That(LearningRate is > 0 and <= 1, LearningRate, nameof(LearningRate), "above 0 and at most 1");
        Require.That(ValidationShare is > 0 and < 1, ValidationShare, nameof(ValidationShare), "between 0 and 1");
        Require.That(ClassNames is null or { Count: 2 }, ClassNames?.Count, "The number of ClassNames", "2");
        return this;
    }
}
