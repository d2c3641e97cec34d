using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How rules are made and chosen.</summary>
public sealed record RuleFitOptions
{
    /// <summary>Trees whose nodes become rules.</summary>
    public int Trees { get; init; } = 40;

    /// <summary>Largest number of conditions of a rule.</summary>
    public int MaxConditions { get; init; } = 3;

    /// <summary>Share of the rows on which each tree grows.</summary>
    public double Subsample { get; init; } = 0.5;

    /// <summary>Factor of each tree when the next one grows on what is left.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Largest number of terms (rules and features) of the sum.</summary>
    public int MaxTerms { get; init; } = 12;

    /// <summary>Whether features are terms too, besides rules.</summary>
    public bool Linear { get; init; } = true;

    /// <summary>Share of rows at each end of a feature that its linear term counts as the value there.</summary>
    public double Winsorize { get; init; } = 0.025;

    /// <summary>Seed of the subsamples.</summary>
    public int Seed { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }
}

/// <summary>A term of a sum: a rule, or a feature between two bounds.</summary>
/// <param name="Name">What it says.</param>
/// <param name="Rule">The rule; null for a feature.</param>
/// <param name="Feature">Number of the feature; -1 for a rule.</param>
/// <param name="Low">Smaller values of the feature count as this.</param>
/// <param name="High">Larger values of the feature count as this.</param>
/// <param name="Coefficient">Its weight.</param>
/// <param name="Importance">Absolute weight times the deviation of the term on the training rows.</param>
public sealed record RuleTerm(string Name, Rule? Rule, int Feature, double Low, double High, double Coefficient,
    double Importance)
{
    internal double Of(double[] row) => Rule is not null ? (Rule.Holds(row) ? 1 : 0) : Math.Clamp(row[Feature], Low, High);
}

/// <summary>A sparse sum of rules and features.</summary>
/// <remarks>
/// Friedman and Popescu, 2008, https://arxiv.org/abs/0811.1679: the nodes of boosted small trees become rules, and an L1 penalty
/// chooses among them. The chosen terms are fitted once more with a hundredth of the largest penalty (Meinshausen, 2007). For two
/// classes the sum is the logit of class 1.
/// </remarks>
public sealed class RuleFit : ITabularModel
{
    private RuleFit(IReadOnlyList<RuleTerm> terms, double intercept, bool isClassifier, IReadOnlyList<string> names)
    {
        Terms = terms;
        Intercept = intercept;
        IsClassifier = isClassifier;
        FeatureNames = names;
    }

    /// <summary>Makes rules and chooses among them.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Whole numbers 0 and 1, the classes; or floating-point targets; [rows].</param>
    /// <param name="options">How; null for defaults.</param>
    /// <param name="cancellation">Stops the work between two trees or sweeps.</param>
    /// <exception cref="ArgumentException">There are more than two classes, or the shapes do not fit.</exception>
    public static RuleFit Fit(Tensor x, Tensor y, RuleFitOptions? options = null, CancellationToken cancellation = default)
    {
        var known = options ?? new RuleFitOptions();
        Tensors.Require.Sizes((known.Trees, nameof(known.Trees)), (known.MaxConditions, nameof(known.MaxConditions)),
            (known.MaxTerms, nameof(known.MaxTerms)));
        Tensors.Require.That(known.Subsample is > 0 and <= 1, known.Subsample, nameof(known.Subsample), "above 0 and at most 1");
        Tensors.Require.That(known.Winsorize is >= 0 and < 0.5, known.Winsorize, nameof(known.Winsorize), "from 0 to below 0.5");
        var rows = Array.ConvertAll(Examples.Rows(x), row => Array.ConvertAll(row, value => (double)(float)value));
        var isClassifier = !y.is_floating_point();
        var targets = isClassifier ? Binary(Examples.Classes(y, rows.Length)) : Examples.Targets(y, rows.Length);
        var names = Examples.Names(known.FeatureNames, rows[0].Length);
        var terms = RuleTerms.Make(rows, targets, known, names, cancellation);
        var columns = terms.Select(term => Array.ConvertAll(rows, term.Of)).ToArray();
        var (chosen, intercept) = RuleTerms.Choose(terms, columns, new Lasso(columns, targets, isClassifier), known.MaxTerms,
            cancellation);
        return new RuleFit(chosen, intercept, isClassifier, names);
    }

    /// <summary>The terms, the most important first.</summary>
    public IReadOnlyList<RuleTerm> Terms { get; }

    /// <summary>The sum of a row for which every term is 0.</summary>
    public double Intercept { get; }

    /// <inheritdoc/>
    public bool IsClassifier { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Returns the sum of each row: the number, or the logit of class 1.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows].</returns>
    public Tensor Sum(Tensor x)
    {
        var rows = Examples.Rows(x);
        if (rows[0].Length != FeatureNames.Count)
            throw new ArgumentException($"Got {rows[0].Length} features; expected {FeatureNames.Count}.", nameof(x));
        return tensor(Array.ConvertAll(rows, row =>
        {
            var rounded = Array.ConvertAll(row, value => (double)(float)value);
            return Intercept + Terms.Sum(term => term.Coefficient * term.Of(rounded));
        }));
    }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x)
    {
        using var scope = NewDisposeScope();
        var sums = Sum(x);
        return (IsClassifier ? sums.gt(0).to(ScalarType.Int64) : sums).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Intercept:G4}") + string.Concat(Terms.Select(term =>
        string.Create(CultureInfo.InvariantCulture,
            $"\n{term.Coefficient:+0.####;-0.####} · {(term.Rule is null ? "" : "if ")}{term.Name}")));

    /// <inheritdoc/>
    public override string ToString() => $"sum of {Terms.Count} terms\n{ToText()}";

    private static double[] Binary(int[] classes) => classes.Max() <= 1 ? Array.ConvertAll(classes, label => (double)label)
        : throw new ArgumentException($"y holds the class {classes.Max()}; rule fit expects the classes 0 and 1.");
}
