namespace ResearchKit.Surrogates;

/// <summary>
/// Searches counterfactuals of any model: it copies features of rows of the wanted class into the row, takes back what is not
/// needed, and moves what remains towards the row.
/// </summary>
internal sealed class CounterfactualSearch
{
    private readonly BatchedModel model;
    private readonly double[] row, scales;
    private readonly double[][] others;
    private readonly FeatureLimits limits;
    private readonly CounterfactualOptions options;
    private readonly Func<int, bool> isWanted;
    private readonly Random random;

    public CounterfactualSearch(BatchedModel model, double[] row, double[][] others, FeatureLimits limits,
        CounterfactualOptions options, Func<int, bool> isWanted)
    {
        this.model = model;
        this.row = row;
        this.others = others;
        this.limits = limits;
        this.options = options;
        this.isWanted = isWanted;
        random = new Random(options.Seed);
        scales = [.. Enumerable.Range(0, row.Length).Select(feature => Spread(Array.ConvertAll(others, other =>
            other[feature])))];
    }

    /// <summary>Returns points of the wanted class, at most as many as were asked.</summary>
    public IReadOnlyList<double[]> Run()
    {
        var found = Kept(Candidates(Math.Max(1, options.MaxRows / 4)));
        var best = found.OrderBy(Cost).Take(Math.Max(12, 3 * options.Count)).ToList();
        best = Distinct(Sparser(best));
        best = Distinct(Closer(best));
        return Chosen(best);
    }

    /// <summary>Distance in units of each feature's spread.</summary>
    public double Distance(double[] left, double[] right) =>
        limits.Free.Sum(feature => Math.Abs(left[feature] - right[feature]) / scales[feature]);

    private int RowsLeft => (int)Math.Max(0, options.MaxRows - options.Count - model.RowsSeen);

    private double Cost(double[] point) => Distance(point, row) + limits.Free.Count(feature =>
        !point[feature].Equals(row[feature]));

    private List<double[]> Candidates(int count)
    {
        var sample = Enumerable.Range(0, others.Length).ToArray();
        random.Shuffle(sample);
        var asked = Array.ConvertAll(sample[..Math.Min(sample.Length, RowsLeft / 4)], at => others[at]);
        var labels = asked.Length > 0 ? model.Classes(asked, options.Cancellation) : [];
        var donors = asked.Zip(labels).Where(pair => isWanted(pair.Second)).Select(pair => pair.First)
            .OrderBy(donor => Distance(donor, row)).ToList();
        var candidates = donors.Take(count / 4).Select(donor => Copied(donor, limits.Free)).ToList();
        while (candidates.Count < count)
        {
            // mostly few features, mostly of near rows
            var size = Math.Min(limits.Free.Length, 1 + (int)(-Math.Log(1 - random.NextDouble()) * 2));
            int[] features = [.. limits.Free];
            random.Shuffle(features);
            var isDonated = donors.Count > 0 && random.NextDouble() < 0.7;
            var donor = isDonated ? donors[(int)(donors.Count * Math.Pow(random.NextDouble(), 2))] : Anywhere();
            candidates.Add(Copied(donor, features[..size]));
        }
        return candidates;
    }

    private double[] Copied(double[] donor, int[] features)
    {
        var point = (double[])row.Clone();
        foreach (var feature in features) point[feature] = model.Rounded(limits.Clamp(feature, donor[feature]));
        return point;
    }

    private double[] Anywhere() => [.. row.Select((value, feature) =>
    {
        var (low, high) = (limits.Low[feature], limits.High[feature]);
        return double.IsFinite(low) && double.IsFinite(high) ? low + (random.NextDouble() * (high - low)) : value;
    })];

    /// <summary>Those of the wanted class, as long as the model may be asked.</summary>
    private List<double[]> Kept(List<double[]> points)
    {
        var asked = points.Take(RowsLeft).ToList();
        return asked.Count == 0 ? [] : [.. asked.Zip(model.Classes(asked, options.Cancellation))
            .Where(pair => isWanted(pair.Second)).Select(pair => pair.First)];
    }

    /// <summary>Takes back one change after another, the smallest first, where the class stays.</summary>
    private List<double[]> Sparser(List<double[]> points)
    {
        var orders = points.Select(point => limits.Free.Where(feature => !point[feature].Equals(row[feature]))
            .OrderBy(feature => Math.Abs(point[feature] - row[feature]) / scales[feature]).ToArray()).ToArray();
        for (var step = 0; step < orders.Select(order => order.Length).DefaultIfEmpty().Max(); step++)
            points = Tried(points, (point, at) => step < orders[at].Length && orders[at].Length > 1
                ? With(point, orders[at][step], row[orders[at][step]]) : null);
        return points;
    }

    /// <summary>Halves the way of each change towards the row, where the class stays.</summary>
    private List<double[]> Closer(List<double[]> points)
    {
        for (var round = 0; round < 8; round++)
            foreach (var feature in limits.Free)
            {
                if (points.All(point => point[feature].Equals(row[feature]))) continue;
                points = Tried(points, (point, _) => point[feature].Equals(row[feature]) ? null
                    : With(point, feature, model.Rounded(point[feature] + ((row[feature] - point[feature]) / Math.Pow(2, 1
                        + (round / 2))))));
            }
        return points;
    }

    private List<double[]> Tried(List<double[]> points, Func<double[], int, double[]?> change)
    {
        var tried = points.Select(change).ToList();
        var asked = tried.Where(point => point is not null && Distance(point, row) > 0).Select(point => point!).ToList();
        var kept = asked.Count <= RowsLeft ? Kept(asked).ToHashSet() : [];
        return [.. points.Select((point, at) => tried[at] is { } next && kept.Contains(next) ? next : point)];
    }

    /// <summary>Takes the cheapest, then again and again the one that is cheap and far from those taken.</summary>
    private List<double[]> Chosen(List<double[]> points)
    {
        var chosen = new List<double[]>();
        var left = points.OrderBy(Cost).ToList();
        while (chosen.Count < options.Count && left.Count > 0)
        {
            var next = left.MinBy(point => Cost(point) - (chosen.Count == 0 ? 0
                : options.Diversity * chosen.Min(other => Distance(point, other) + Differing(point, other))))!;
            chosen.Add(next);
            left.Remove(next);
        }
        return chosen;
    }

    private int Differing(double[] left, double[] right) => limits.Free.Count(feature =>
        left[feature].Equals(row[feature]) != right[feature].Equals(row[feature]));

    private static List<double[]> Distinct(List<double[]> points) => [.. points.DistinctBy(point => string.Join(';', point))];

    private static double[] With(double[] point, int feature, double value)
    {
        var changed = (double[])point.Clone();
        changed[feature] = value;
        return changed;
    }

    /// <summary>Median absolute deviation; the deviation, or 1, where it is 0.</summary>
    private static double Spread(double[] values)
    {
        var middle = Median(values);
        var spread = Median(Array.ConvertAll(values, value => Math.Abs(value - middle)));
        if (spread > 0) return spread;
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return deviation > 0 ? deviation : 1;
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
