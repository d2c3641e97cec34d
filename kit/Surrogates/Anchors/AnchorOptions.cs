using ResearchKit.Tensors;

namespace ResearchKit.Surrogates;

/// <summary>How an anchor is searched.</summary>
public sealed record AnchorOptions
{
    /// <summary>Precision that the rule must have: the share of rows that fulfil it and get the same class.</summary>
    public double Precision { get; init; } = 0.95;

    /// <summary>Confidence of the stated lower bound of the precision, one-sided.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>
    /// Bins of a feature of many values, by quantiles of the background rows; conditions begin or end at their bounds.
    /// </summary>
    public int Bins { get; init; } = 8;

    /// <summary>Largest number of bounds in the conditions.</summary>
    public int MaxConditions { get; init; } = 6;

    /// <summary>Rules that are kept for each number of bounds.</summary>
    public int BeamWidth { get; init; } = 4;

    /// <summary>Rows that are drawn at a time for a candidate.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Largest number of rows that the model sees during the search.</summary>
    public int MaxRows { get; init; } = 50_000;

    /// <summary>Fresh rows from which the precision of the result is computed.</summary>
    public int FinalRows { get; init; } = 2000;

    /// <summary>Seed of the rows that are drawn.</summary>
    public int Seed { get; init; }

    /// <summary>
    /// Probability that a binary feature is 1, for <see cref="Anchors.Exhaustive"/>, where features are independent; null for ½.
    /// </summary>
    public IReadOnlyList<double>? Probabilities { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Names of the classes; null for 0, 1, ….</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Stops the work between two batches.</summary>
    public CancellationToken Cancellation { get; init; }

    internal AnchorOptions Validated()
    {
        Require.That(Precision is > 0 and <= 1, Precision, nameof(Precision), "above 0 and at most 1");
        Require.That(Confidence is > 0.5 and < 1, Confidence, nameof(Confidence), "above 0.5 and below 1");
        Require.AtLeast(2, Bins);
        Require.Sizes((MaxConditions, nameof(MaxConditions)), (BeamWidth, nameof(BeamWidth)), (BatchSize, nameof(BatchSize)),
            (MaxRows, nameof(MaxRows)), (FinalRows, nameof(FinalRows)));
        return this;
    }
}

/// <summary>A rule that is enough for the class of a row: other rows that fulfil it mostly get the same class.</summary>
/// <param name="Rule">The conditions, all of which the row fulfils.</param>
/// <param name="Class">Class of the row.</param>
/// <param name="Precision">Share of the drawn rows that fulfil the rule and get this class.</param>
/// <param name="LowerBound">
/// Lower bound of the precision at the confidence that was asked (Clopper and Pearson), from rows that the search did not see.
/// </param>
/// <param name="Confidence">Confidence of the bound.</param>
/// <param name="Coverage">Share of the background rows that fulfil the rule.</param>
/// <param name="Rows">Rows from which the precision was computed.</param>
/// <param name="ModelRows">Rows that the model saw in all.</param>
public sealed record Anchor(Rule Rule, int Class, double Precision, double LowerBound, double Confidence,
    double Coverage, int Rows, long ModelRows)
{
    /// <summary>Whether the precision is exact, from all inputs, and no estimate.</summary>
    public bool IsExact { get; init; }

    /// <summary>Precision that was asked.</summary>
    public double Target { get; init; }

    /// <summary>Whether the lower bound is at least the precision that was asked.</summary>
    public bool ReachesTarget => LowerBound >= Target;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Rule}: precision {Precision:0.000}")
        + (IsExact ? " (exact)"
            : FormattableString.Invariant($", at least {LowerBound:0.000} with {100 * Confidence:0.#} % confidence"))
        + FormattableString.Invariant($", coverage {Coverage:0.000}")
        + (ReachesTarget ? "" : FormattableString.Invariant($"; no rule with a precision of {Target} was found"));
}
