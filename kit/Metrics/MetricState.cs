namespace ResearchKit.Metrics;

/// <summary>
/// What a metric has counted so far. States of batches, ranks and resumed runs are added; the value follows from the total.
/// </summary>
/// <param name="Sums">Sums and counts, such as correct predictions and all predictions. States of one metric have the same
/// length.</param>
/// <param name="Scores">
/// Numbers that are kept for each example, for metrics that need all examples at once, such as the area under an ROC curve;
/// empty for the others.
/// </param>
public sealed record MetricState(IReadOnlyList<double> Sums, IReadOnlyList<double> Scores)
{
    /// <summary>Sums alone.</summary>
    public MetricState(params IReadOnlyList<double> sums) : this(sums, [])
    {
    }

    /// <summary>Adds two states of the same metric: sums are added, scores are appended.</summary>
    /// <exception cref="ArgumentException">The states have different numbers of sums.</exception>
    public static MetricState operator +(MetricState one, MetricState other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        if (one.Sums.Count != other.Sums.Count)
            throw new ArgumentException($"Got states of {one.Sums.Count} and {other.Sums.Count} sums; expected states of the "
                + "same metric.", nameof(other));
        return new([.. one.Sums.Zip(other.Sums, (first, second) => first + second)], [.. one.Scores, .. other.Scores]);
    }
}
