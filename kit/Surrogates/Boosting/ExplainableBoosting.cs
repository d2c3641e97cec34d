using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>
/// Explainable boosting machine: a sum of step functions of single features and of pairs, fitted by boosting. What it says is
/// exactly the sum of what it shows.
/// </summary>
/// <remarks>
/// Lou, Caruana, Gehrke and Hooker, 2013 (GA2M); Nori et al., 2019, https://arxiv.org/abs/1909.09223. For two classes the sum is
/// the logit of class 1.
/// </remarks>
public sealed class ExplainableBoosting : ITabularModel
{
    private readonly IReadOnlyList<string> termNames;

    private ExplainableBoosting(double intercept, IReadOnlyList<ShapeFunction> shapes, IReadOnlyList<PairFunction> pairs,
        bool isClassifier, IReadOnlyList<string> names, IReadOnlyList<string> classes)
    {
        Intercept = intercept;
        Shapes = shapes;
        Pairs = pairs;
        IsClassifier = isClassifier;
        FeatureNames = names;
        ClassNames = classes;
        termNames = [.. names, .. pairs.Select(pair => pair.Name)];
    }

    /// <summary>Fits the terms.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Whole numbers 0 and 1, the classes; or floating-point targets; [rows].</param>
    /// <param name="options">How; null for defaults.</param>
    /// <param name="progress">Receives the share of the bags that are done.</param>
    /// <param name="cancellation">Stops the work between two rounds.</param>
    /// <exception cref="ArgumentException">
    /// There are other classes than 0 and 1, there are fewer than 10 rows, or the shapes do not fit.
    /// </exception>
    public static ExplainableBoosting Fit(Tensor x, Tensor y, ExplainableBoostingOptions? options = null,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        var known = (options ?? new()).Validated();
        var rows = Examples.Rows(x);
        if (rows.Length < 10) throw new ArgumentException($"Got {rows.Length} rows; expected at least 10.", nameof(x));
        var names = Examples.Names(known.FeatureNames, rows[0].Length);
        var isClassifier = !y.is_floating_point();
        var targets = isClassifier ? Binary(Examples.Classes(y, rows.Length)) : Examples.Targets(y, rows.Length);
        var bins = names.Select((_, feature) =>
            new FeatureBins(Array.ConvertAll(rows, row => row[feature]), known.MaxBins, known.MaxPairBins)).ToList();
        var bags = new BoostedBag[known.OuterBags];
        var done = 0;
        var parallel = new ParallelOptions { CancellationToken = cancellation };
        Parallel.For(0, bags.Length, parallel, bag =>
        {
            bags[bag] = new BoostedBag(bins, targets, isClassifier, known, unchecked((known.Seed * 1000) + bag));
            bags[bag].FitShapes(cancellation);
            progress?.Report(Interlocked.Increment(ref done) / (2.0 * bags.Length));
        });
        var pairs = ChosenPairs(bins, bags, targets, isClassifier, known, cancellation);
        Parallel.For(0, bags.Length, parallel, bag =>
        {
            bags[bag].FitPairs(pairs, cancellation);
            progress?.Report(Interlocked.Increment(ref done) / (2.0 * bags.Length));
        });
        var terms = new BoostedTerms(bins, pairs, bags);
        var (shapes, functions) = terms.Finish(rows, names);
        return new ExplainableBoosting(terms.Intercept, shapes, functions, isClassifier, names,
            isClassifier ? known.ClassNames ?? ["0", "1"] : []);
    }

    /// <summary>The sum of a row whose terms are all 0.</summary>
    public double Intercept { get; }

    /// <summary>The terms of single features, in the order of the features.</summary>
    public IReadOnlyList<ShapeFunction> Shapes { get; }

    /// <summary>The terms of pairs, the most important first.</summary>
    public IReadOnlyList<PairFunction> Pairs { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Names of the two classes; empty for numeric targets.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public bool IsClassifier { get; }

    /// <summary>Mean of the absolute values of each term over the training rows.</summary>
    public FeatureScores Importances => new("mean |term|", termNames,
        [.. Shapes.Select(shape => shape.Importance), .. Pairs.Select(pair => pair.Importance)])
    {
        Unit = Unit,
    };

    /// <summary>Returns the sum of each row: the logit of class 1, or the number.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows].</returns>
    public Tensor Logits(Tensor x) => tensor(Array.ConvertAll(Rows(x), row => Intercept + Terms(row).Sum()));

    /// <summary>Returns the probabilities of both classes.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows, 2].</returns>
    /// <exception cref="InvalidOperationException">The model predicts numbers.</exception>
    public Tensor PredictProbabilities(Tensor x)
    {
        if (!IsClassifier) throw new InvalidOperationException("A model of numbers has no probabilities; call Predict.");
        using var scope = NewDisposeScope();
        var logits = Logits(x);
        return stack([(-logits).sigmoid(), logits.sigmoid()], 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x)
    {
        using var scope = NewDisposeScope();
        var sums = Logits(x);
        return (IsClassifier ? sums.gt(0).to(ScalarType.Int64) : sums).MoveToOuterDisposeScope();
    }

    /// <summary>Returns what each term adds to the sum of each row.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    public ExplanationSet Explain(Tensor x)
    {
        var rows = Rows(x);
        var (inputs, contributions) = (new double[rows.Length, termNames.Count], new double[rows.Length, termNames.Count]);
        var outputs = new double[rows.Length];
        for (var row = 0; row < rows.Length; row++)
        {
            var terms = Terms(rows[row]);
            for (var term = 0; term < terms.Length; term++)
            {
                inputs[row, term] = term < FeatureNames.Count ? rows[row][term] : double.NaN;
                contributions[row, term] = terms[term];
            }
            outputs[row] = Intercept + terms.Sum();
        }
        return new ExplanationSet("explainable boosting", termNames, inputs, contributions, Intercept, outputs) { Unit = Unit };
    }

    /// <inheritdoc/>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"intercept {Intercept:G4}\n")
        + string.Join('\n', Shapes.OrderByDescending(shape => shape.Importance).Select(shape => shape.ToString())
            .Concat(Pairs.Select(pair => pair.ToString())));

    /// <inheritdoc/>
    public override string ToString() => $"explainable boosting: {Shapes.Count} features, {Pairs.Count} pairs; {Importances}";

    private string Unit => IsClassifier ? "logit" : "";

    private double[] Terms(double[] row) => [.. Shapes.Select(shape => shape.Of(row[shape.Feature])),
        .. Pairs.Select(pair => pair.Of(row[pair.First], row[pair.Second]))];

    private double[][] Rows(Tensor x)
    {
        var rows = Examples.Rows(x);
        return rows[0].Length == FeatureNames.Count ? rows : throw new ArgumentException(
            $"Got {rows[0].Length} features; the model was fitted to {FeatureNames.Count}.", nameof(x));
    }

    private static IReadOnlyList<(int First, int Second)> ChosenPairs(List<FeatureBins> bins, BoostedBag[] bags, double[] targets,
        bool isClassifier, ExplainableBoostingOptions options, CancellationToken cancellation)
    {
        var scores = new BoostedTerms(bins, [], bags).Scores();
        var chances = isClassifier ? Array.ConvertAll(scores, score => 1 / (1 + Math.Exp(-score))) : scores;
        return PairSelection.Best(bins, [.. targets.Zip(chances, (target, chance) => target - chance)],
            Array.ConvertAll(chances, chance => isClassifier ? chance * (1 - chance) : 1), options.Interactions,
            options.MinSamplesLeaf, options.Ridge, cancellation);
    }

    private static double[] Binary(int[] classes)
    {
        if (classes.Max() > 1)
            throw new ArgumentException($"y holds the class {classes.Max()}; explainable boosting expects the classes 0 and 1.");
        if (classes.Count(label => label == 1) < 2 || classes.Count(label => label == 0) < 2)
            throw new ArgumentException("y holds a class fewer than twice; expected at least two rows of each class.");
        return Array.ConvertAll(classes, label => (double)label);
    }
}
