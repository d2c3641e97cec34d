namespace ResearchKit.Surrogates;

/// <summary>Draws rows that fulfil a rule, and bins the features.</summary>
internal sealed class AnchorSampler
{
    private readonly double[][] background;
    private readonly Random random;

    public AnchorSampler(double[][] background, int seed)
    {
        this.background = background;
        random = new Random(seed);
    }

    /// <summary>
    /// Draws rows: a random background row, in which each feature of the rule takes the value of a random background row that
    /// fulfils the condition.
    /// </summary>
    public double[][] Draw(IReadOnlyList<Condition> conditions, int count)
    {
        var allowed = conditions.Select(condition => background.Select(row =>
            row[condition.Feature]).Where(condition.Holds).ToArray())
            .ToArray();
        var drawn = new double[count][];
        for (var row = 0; row < count; row++)
        {
            drawn[row] = (double[])background[random.Next(background.Length)].Clone();
            for (var at = 0; at < conditions.Count; at++)
                drawn[row][conditions[at].Feature] = allowed[at].Length > 0 ? allowed[at][random.Next(allowed[at].Length)]
                    : double.IsFinite(conditions[at].UpTo) ? conditions[at].UpTo : Math.BitIncrement(conditions[at].Above);
        }
        return drawn;
    }

    public double Coverage(IReadOnlyList<Condition> conditions) => background.Count(row =>
        conditions.All(condition => condition.Holds(row[condition.Feature]))) / (double)background.Length;

    /// <summary>
    /// The bounds of the bin of each feature in which a row lies, each as a condition of its own; none for a feature that is the
    /// same in all rows.
    /// </summary>
    public IReadOnlyList<Condition> ConditionsOf(double[] row, int bins, IReadOnlyList<string> names)
    {
        var conditions = new List<Condition>();
        for (var feature = 0; feature < row.Length; feature++)
        {
            var values = background.Select(other => other[feature]).Order().ToArray();
            var distinct = values.Distinct().ToArray();
            if (distinct.Length < 2) continue;
            double[] cuts = distinct.Length <= bins ? [.. distinct.Zip(distinct.Skip(1), (low, high) => (low + high) / 2)]
                : [.. Enumerable.Range(1, bins - 1).Select(cut => values[(int)((long)cut * values.Length / bins)])
                    .Where(cut => cut < values[^1]).Distinct()];
            var bin = ShapeFunction.Bin(cuts, row[feature]);
            if (bin > 0) conditions.Add(new Condition(feature, names[feature], cuts[bin - 1], double.PositiveInfinity));
            if (bin < cuts.Length) conditions.Add(new Condition(feature, names[feature], double.NegativeInfinity, cuts[bin]));
        }
        return conditions;
    }
}
