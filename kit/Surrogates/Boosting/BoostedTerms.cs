namespace ResearchKit.Surrogates;

/// <summary>Averages the terms of the bags, purifies the pairs and centres all terms.</summary>
internal sealed class BoostedTerms
{
    private readonly IReadOnlyList<FeatureBins> bins;
    private readonly IReadOnlyList<(int First, int Second)> pairs;
    private readonly BoostedBag[] bags;
    private readonly double[][] shapes;

    public BoostedTerms(IReadOnlyList<FeatureBins> bins, IReadOnlyList<(int First, int Second)> pairs, BoostedBag[] bags)
    {
        this.bins = bins;
        this.pairs = pairs;
        this.bags = bags;
        Intercept = bags.Average(bag => bag.Intercept);
        shapes = [.. bins.Select((_, feature) => Mean([.. bags.Select(bag => bag.Shapes[feature])]))];
    }

    public double Intercept { get; private set; }

    /// <summary>What the terms of single features say of each training row.</summary>
    public double[] Scores() => [.. Enumerable.Range(0, bins[0].Rows.Length).Select(row =>
        Intercept + shapes.Select((shape, feature) => shape[bins[feature].Rows[row]]).Sum())];

    /// <summary>Moves the pairs' own rows and columns into the terms of single features, and all means into the
    /// intercept.</summary>
    public (IReadOnlyList<ShapeFunction>, IReadOnlyList<PairFunction>) Finish(double[][] rows, IReadOnlyList<string> names)
    {
        var purified = pairs.Select((pair, at) => Purified(pair, Mean([.. bags.Select(bag => bag.Pairs[at])]), names)).ToList();
        return ([.. bins.Select((feature, at) => Centred(feature, at, rows, names[at]))],
            [.. purified.OrderByDescending(pair => pair.Importance)]);
    }

    private PairFunction Purified((int First, int Second) pair, double[] cells, IReadOnlyList<string> names)
    {
        var (first, second) = (bins[pair.First], bins[pair.Second]);
        var counts = new double[cells.Length];
        foreach (var cell in PairSelection.Cells(first, second)) counts[cell]++;
        var (ofRows, ofColumns) = Purification.Purify(cells, counts, second.Groups);
        for (var bin = 0; bin < first.Bins; bin++) shapes[pair.First][bin] += ofRows[first.GroupOfBin(bin)];
        for (var bin = 0; bin < second.Bins; bin++) shapes[pair.Second][bin] += ofColumns[second.GroupOfBin(bin)];
        return new PairFunction(pair.First, pair.Second, $"{names[pair.First]} × {names[pair.Second]}", first.GroupCuts,
            second.GroupCuts, Grid(cells, first.Groups, second.Groups), Grid(counts, first.Groups, second.Groups));
    }

    private ShapeFunction Centred(FeatureBins feature, int at, double[][] rows, string name)
    {
        var mean = shapes[at].Zip(feature.Counts).Sum(bin => bin.First * bin.Second) / feature.Counts.Sum();
        for (var bin = 0; bin < shapes[at].Length; bin++) shapes[at][bin] -= mean;
        Intercept += mean;
        var deviations = Enumerable.Range(0, feature.Bins).Select(bin =>
        {
            var own = Array.ConvertAll(bags, bag => bag.Shapes[at][bin]);
            return Math.Sqrt(own.Average(value => (value - own.Average()) * (value - own.Average())));
        });
        return new ShapeFunction(at, name, feature.Cuts, shapes[at], [.. deviations], feature.Counts,
            rows.Min(row => row[at]), rows.Max(row => row[at]));
    }

    private static double[] Mean(double[][] terms) =>
        [.. Enumerable.Range(0, terms[0].Length).Select(at => terms.Average(term => term[at]))];

    private static double[,] Grid(double[] values, int rows, int columns)
    {
        var grid = new double[rows, columns];
        for (var at = 0; at < values.Length; at++) grid[at / columns, at % columns] = values[at];
        return grid;
    }
}
