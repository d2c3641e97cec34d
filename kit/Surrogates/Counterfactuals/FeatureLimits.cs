namespace ResearchKit.Surrogates;

/// <summary>The values that the features of a counterfactual may take.</summary>
internal sealed class FeatureLimits
{
    /// <param name="row">The original row.</param>
    /// <param name="options">Frozen features and ranges, by name.</param>
    /// <param name="others">Ranges of the features without one; null for no limit.</param>
    /// <exception cref="KeyNotFoundException">There is no feature of a name; the message lists those there are.</exception>
    /// <exception cref="ArgumentException">A feature of the row is out of its range.</exception>
    public FeatureLimits(double[] row, CounterfactualOptions options, double[][]? others)
    {
        Names = Examples.Names(options.FeatureNames, row.Length);
        Low = [.. row.Select((value, feature) =>
            Math.Min(value, others?.Min(other => other[feature]) ?? double.NegativeInfinity))];
        High = [.. row.Select((value, feature) =>
            Math.Max(value, others?.Max(other => other[feature]) ?? double.PositiveInfinity))];
        foreach (var (name, (low, high)) in options.Ranges)
        {
            var feature = Examples.Feature(Names, name);
            if (row[feature] < low || row[feature] > high)
                throw new ArgumentException(FormattableString.Invariant($"'{name}' is {row[feature]} in x, ")
                    + FormattableString.Invariant($"outside of its range from {low} to {high}."));
            (Low[feature], High[feature]) = (low, high);
        }
        foreach (var name in options.Frozen)
        {
            var feature = Examples.Feature(Names, name);
            (Low[feature], High[feature]) = (row[feature], row[feature]);
        }
        Free = [.. Enumerable.Range(0, row.Length).Where(feature => Low[feature] < High[feature])];
        if (Free.Length == 0) throw new ArgumentException("Every feature is frozen; at least one must be free to change.");
    }

    public IReadOnlyList<string> Names { get; }

    public double[] Low { get; }

    public double[] High { get; }

    /// <summary>Features that may change.</summary>
    public int[] Free { get; }

    public double Clamp(int feature, double value) => Math.Clamp(value, Low[feature], High[feature]);

    /// <summary>Describes a point.</summary>
    public Counterfactual Describe(double[] row, double[] point, int label, double distance) => new(point, label,
        [.. Enumerable.Range(0, row.Length).Where(feature => !row[feature].Equals(point[feature]))
            .Select(feature => new FeatureChange(Names[feature], row[feature], point[feature]))], distance);
}
