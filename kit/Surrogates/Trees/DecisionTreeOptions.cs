using ResearchKit.Tensors;

namespace ResearchKit.Surrogates;

/// <summary>What a split of a classification tree reduces. A regression tree reduces the squared error.</summary>
public enum TreeCriterion
{
    /// <summary>Gini impurity: one minus the sum of the squared shares of the classes.</summary>
    Gini,

    /// <summary>Entropy of the shares of the classes, in bits.</summary>
    Entropy,
}

/// <summary>How a decision tree grows. The names and defaults are those of scikit-learn.</summary>
public sealed record DecisionTreeOptions
{
    /// <summary>What a split of a classification tree reduces.</summary>
    public TreeCriterion Criterion { get; init; } = TreeCriterion.Gini;

    /// <summary>Largest number of splits between the root and a leaf; null for no limit.</summary>
    public int? MaxDepth { get; init; }

    /// <summary>Smallest number of rows that a node needs to be split.</summary>
    public int MinSamplesSplit { get; init; } = 2;

    /// <summary>Smallest number of rows of a leaf.</summary>
    public int MinSamplesLeaf { get; init; } = 1;

    /// <summary>Smallest share of all weights in a leaf.</summary>
    public double MinWeightFractionLeaf { get; init; }

    /// <summary>Largest number of leaves: the tree then grows by the best split first. Null for no limit.</summary>
    public int? MaxLeafNodes { get; init; }

    /// <summary>Smallest decrease of the impurity by a split, times the node's share of all weights.</summary>
    public double MinImpurityDecrease { get; init; }

    /// <summary>
    /// Price of a leaf in minimal cost-complexity pruning, in units of the impurity; 0 for no pruning.
    /// </summary>
    public double CcpAlpha { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Names of the classes; null for 0, 1, ….</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    internal DecisionTreeOptions Validated()
    {
        if (MaxDepth is { } depth) Require.AtLeast(1, depth, nameof(MaxDepth));
        Require.AtLeast(2, MinSamplesSplit);
        Require.AtLeast(1, MinSamplesLeaf);
        if (MaxLeafNodes is { } leaves) Require.AtLeast(2, leaves, nameof(MaxLeafNodes));
        Require.NotNegative(MinImpurityDecrease);
        Require.NotNegative(CcpAlpha);
        Require.That(MinWeightFractionLeaf is >= 0 and <= 0.5, MinWeightFractionLeaf, nameof(MinWeightFractionLeaf),
            "from 0 to 0.5");
        return this;
    }
}
