namespace ResearchKit.Surrogates;

/// <summary>
/// One fit of all terms on some of the rows: round after round it adds a small tree to every term, until the loss of the other
/// rows stops falling.
/// </summary>
internal sealed class BoostedBag
{
    private readonly IReadOnlyList<FeatureBins> bins;
    private readonly double[] targets;
    private readonly bool isClassifier;
    private readonly ExplainableBoostingOptions options;
    private readonly int[] training, validation;
    private readonly double[] scores, gradients, curvatures;

    public BoostedBag(IReadOnlyList<FeatureBins> bins, double[] targets, bool isClassifier, ExplainableBoostingOptions options,
        int seed)
    {
        this.bins = bins;
        this.targets = targets;
        this.isClassifier = isClassifier;
        this.options = options;
        var order = Enumerable.Range(0, targets.Length).ToArray();
        new Random(seed).Shuffle(order);
        if (isClassifier) order = [.. order.OrderBy(row => targets[row])];      // the same share of both classes is held out
        var (kept, held) = (new List<int>(), new List<int>());
        for (var at = 0; at < order.Length; at++)
            ((int)((at + 1) * options.ValidationShare) > (int)(at * options.ValidationShare) ? held : kept).Add(order[at]);
        training = [.. kept];
        validation = held.Count > 0 ? [.. held] : training;
        var mean = training.Average(row => targets[row]);
        Intercept = isClassifier ? Math.Log(mean / (1 - mean)) : mean;
        scores = new double[targets.Length];
        gradients = new double[targets.Length];
        curvatures = new double[targets.Length];
        Array.Fill(scores, Intercept);
        foreach (var row in training) Update(row, 0);
        Shapes = [.. bins.Select(feature => new double[feature.Bins])];
    }

    public double Intercept { get; }

    /// <summary>[feature][bin].</summary>
    public double[][] Shapes { get; private set; }

    /// <summary>[pair][group of the first · groups of the second + group of the second].</summary>
    public double[][] Pairs { get; private set; } = [];

    public void FitShapes(CancellationToken cancellation) =>
        Shapes = Boost(Shapes, (feature, row) => bins[feature].Rows[row], (feature, gradient, curvature, count) =>
            TreeOfBins.Steps(gradient, curvature, count, options.MaxLeaves, options.MinSamplesLeaf, options.Ridge), cancellation);

    public void FitPairs(IReadOnlyList<(int First, int Second)> pairs, CancellationToken cancellation)
    {
        if (pairs.Count == 0) return;
        var cells = pairs.Select(pair => PairSelection.Cells(bins[pair.First], bins[pair.Second])).ToArray();
        var start = pairs.Select(pair => new double[bins[pair.First].Groups * bins[pair.Second].Groups]).ToArray();
        Pairs = Boost(start, (pair, row) => cells[pair][row], (pair, gradient, curvature, count) =>
            PairSelection.Steps(gradient, curvature, count, bins[pairs[pair].Second].Groups, options.MinSamplesLeaf,
                options.Ridge), cancellation);
    }

    private double[][] Boost(double[][] terms, Func<int, int, int> place,
        Func<int, double[], double[], double[], double[]?> steps, CancellationToken cancellation)
    {
        var places = terms.Select((_, term) => Enumerable.Range(0, targets.Length).Select(row =>
            place(term, row)).ToArray()).ToArray();
        var best = Copy(terms);
        var (bestLoss, bestScores, bestRound) = (Loss(), (double[])scores.Clone(), 0);
        for (var round = 1; round <= options.MaxRounds && round - bestRound <= options.EarlyStoppingRounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var term = 0; term < terms.Length; term++) Step(terms[term], places[term], term, steps);
            var loss = Loss();
            if (!(loss < bestLoss - 1e-9)) continue;
            bestLoss = loss;
            bestRound = round;
            best = Copy(terms);
            scores.CopyTo(bestScores, 0);
        }
        bestScores.CopyTo(scores, 0);
        foreach (var row in training) Update(row, 0);
        return best;
    }

    private void Step(double[] term, int[] places, int number, Func<int, double[], double[], double[], double[]?> steps)
    {
        var (gradient, curvature, count) = (new double[term.Length], new double[term.Length], new double[term.Length]);
        foreach (var row in training)
        {
            gradient[places[row]] += gradients[row];
            curvature[places[row]] += curvatures[row];
            count[places[row]]++;
        }
        if (steps(number, gradient, curvature, count) is not { } change) return;
        for (var at = 0; at < term.Length; at++) term[at] += change[at] *= options.LearningRate;
        foreach (var row in training) Update(row, change[places[row]]);
        foreach (var row in validation) scores[row] += validation == training ? 0 : change[places[row]];
    }

    private void Update(int row, double change)
    {
        scores[row] += change;
        if (!isClassifier)
        {
            gradients[row] = targets[row] - scores[row];
            curvatures[row] = 1;
            return;
        }
        var chance = 1 / (1 + Math.Exp(-scores[row]));
        gradients[row] = targets[row] - chance;
        curvatures[row] = chance * (1 - chance);
    }

    private double Loss()
    {
        var sum = 0.0;
        foreach (var row in validation)
            sum += isClassifier
                ? Math.Max(scores[row], 0) + Math.Log(1 + Math.Exp(-Math.Abs(scores[row]))) - (targets[row] * scores[row])
                : (targets[row] - scores[row]) * (targets[row] - scores[row]);
        return sum / validation.Length;
    }

    private static double[][] Copy(double[][] terms) => Array.ConvertAll(terms, term => (double[])term.Clone());
}
