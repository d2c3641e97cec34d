using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Mutual information of two variables by the distances to the nearest neighbours.</summary>
internal static class NeighborInformation
{
    public static FeatureScores Of(Tensor x, Tensor y, int neighbors, IReadOnlyCollection<int> discrete, int seed,
        IReadOnlyList<string>? names)
    {
        Tensors.Require.AtLeast(1, neighbors);
        var rows = Examples.Rows(x);
        foreach (var feature in discrete) Examples.Feature(feature, rows[0].Length);
        if (rows.Length <= neighbors)
            throw new ArgumentException($"Got {rows.Length} rows; expected more than the {neighbors} neighbours.", nameof(x));
        var random = new Random(seed);
        var columns = Enumerable.Range(0, rows[0].Length).Select(feature => Array.ConvertAll(rows, row => row[feature])).ToList();
        for (var feature = 0; feature < columns.Count; feature++)
            if (!discrete.Contains(feature)) columns[feature] = Noisy(columns[feature], random);
        Func<double[], bool, double> information;
        if (y.is_floating_point())
        {
            var targets = Noisy(Examples.Targets(y, rows.Length), random);
            information = (column, isDiscrete) => isDiscrete ? Mixed(targets, column, neighbors)
                : Continuous(column, targets, neighbors);
        }
        else
        {
            var labels = Array.ConvertAll(Examples.Classes(y, rows.Length), label => (double)label);
            information = (column, isDiscrete) => isDiscrete ? Discrete(column, labels) : Mixed(column, labels, neighbors);
        }
        return new FeatureScores("mutual information", Examples.Names(names, columns.Count),
            [.. columns.Select((column, feature) => information(column, discrete.Contains(feature)))])
        {
            Unit = "nats",
        };
    }

    /// <summary>A column with deviation 1, and noise that is too small to matter but breaks ties.</summary>
    private static double[] Noisy(double[] column, Random random)
    {
        var mean = column.Average();
        var deviation = Math.Sqrt(column.Average(value => (value - mean) * (value - mean)));
        var scaled = deviation > 0 ? Array.ConvertAll(column, value => value / deviation) : column;
        var size = 1e-10 * Math.Max(1, scaled.Average(Math.Abs));
        return Array.ConvertAll(scaled, value => value + (size * Normal(random)));
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Discrete(double[] left, double[] right)
    {
        var (lefts, rights) = (Shares(left), Shares(right));
        return Math.Max(0, left.Zip(right).GroupBy(pair => pair).Sum(pair =>
        {
            var share = pair.Count() / (double)left.Length;
            return share * Math.Log(share / (lefts[pair.Key.First] * rights[pair.Key.Second]));
        }));
    }

    private static Dictionary<double, double> Shares(double[] values) => values.GroupBy(value => value)
        .ToDictionary(group => group.Key, group => group.Count() / (double)values.Length);

    /// <summary>Of a number and a class (Ross, 2014). Rows that are alone in their class do not count.</summary>
    private static double Mixed(double[] numbers, double[] labels, int neighbors)
    {
        var groups = numbers.Zip(labels).GroupBy(pair => pair.Second, pair => pair.First)
            .Where(group => group.Count() > 1).Select(group => group.Order().ToArray()).ToList();
        var all = groups.SelectMany(group => group).Order().ToArray();
        if (all.Length == 0) return 0;
        double ofNeighbors = 0, ofCounts = 0, ofInside = 0;
        foreach (var group in groups)
        {
            var k = Math.Min(neighbors, group.Length - 1);
            for (var at = 0; at < group.Length; at++)
            {
                ofNeighbors += Distributions.Digamma(k);
                ofCounts += Distributions.Digamma(group.Length);
                ofInside += Distributions.Digamma(Within(all, group[at], Math.BitDecrement(Distance(group, at, k))));
            }
        }
        var count = (double)all.Length;
        return Math.Max(0, Distributions.Digamma(count) + ((ofNeighbors - ofCounts - ofInside) / count));
    }

    /// <summary>Of two numbers (Kraskov et al., 2004, the first estimator).</summary>
    private static double Continuous(double[] left, double[] right, int neighbors)
    {
        var (lefts, rights) = (left.Order().ToArray(), right.Order().ToArray());
        var inside = 0.0;
        for (var row = 0; row < left.Length; row++)
        {
            var distances = new double[left.Length];
            for (var other = 0; other < left.Length; other++)
                distances[other] = Math.Max(Math.Abs(left[row] - left[other]), Math.Abs(right[row] - right[other]));
            Array.Sort(distances);      // the first is the row itself
            var radius = Math.BitDecrement(distances[neighbors]);
            inside += Distributions.Digamma(Within(lefts, left[row], radius))
                + Distributions.Digamma(Within(rights, right[row], radius));
        }
        return Math.Max(0, Distributions.Digamma(left.Length) + Distributions.Digamma(neighbors) - (inside / left.Length));
    }

    /// <summary>Distance of a value to its k-th nearest neighbour in sorted values.</summary>
    private static double Distance(double[] sorted, int at, int k)
    {
        var (low, high) = (at - 1, at + 1);
        var distance = 0.0;
        for (var found = 0; found < k; found++)
        {
            var below = low >= 0 ? sorted[at] - sorted[low] : double.PositiveInfinity;
            var above = high < sorted.Length ? sorted[high] - sorted[at] : double.PositiveInfinity;
            distance = Math.Min(below, above);
            if (below <= above) low--;
            else high++;
        }
        return distance;
    }

    /// <summary>Number of sorted values that are not farther away than a radius.</summary>
    private static int Within(double[] sorted, double value, double radius) =>
        First(sorted, other => other - value > radius) - First(sorted, other => value - other <= radius);

    private static int First(double[] sorted, Func<double, bool> holds)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (holds(sorted[middle])) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
