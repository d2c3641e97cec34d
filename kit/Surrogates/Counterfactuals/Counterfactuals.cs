using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>What would have to be different for another class.</summary>
/// <param name="FeatureNames">Names of the features.</param>
/// <param name="Original">The row.</param>
/// <param name="OriginalClass">Class that the model gives to it.</param>
/// <param name="Found">
/// The counterfactuals, each checked on the model; fewer than asked, or none, where the search found no more.
/// </param>
/// <param name="ModelRows">Rows that the model saw.</param>
/// <remarks>
/// Wachter et al., 2017, https://arxiv.org/abs/1711.00399; Mothilal et al., 2020 (diverse ones),
/// https://arxiv.org/abs/1905.07697. Distances are sums of the absolute changes in units of the median absolute deviation of the
/// background rows.
/// </remarks>
public sealed record Counterfactuals(IReadOnlyList<string> FeatureNames, IReadOnlyList<double> Original, int OriginalClass,
    IReadOnlyList<Counterfactual> Found, long ModelRows)
{
    /// <summary>Searches counterfactuals of any model.</summary>
    /// <param name="model">Takes [rows, features]; returns logits [rows, classes], or one logit [rows] of class 1.</param>
    /// <param name="x">The row, [features] or [1, features].</param>
    /// <param name="background">Rows whose values may be taken, [rows, features].</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">
    /// The row already has the wanted class, a range does not contain it, every feature is frozen, or the shapes do not fit.
    /// </exception>
    /// <exception cref="KeyNotFoundException">A frozen feature does not exist; the message lists those there are.</exception>
    public static Counterfactuals Explain(Func<Tensor, Tensor> model, Tensor x, Tensor background,
        CounterfactualOptions? options = null)
    {
        var known = (options ?? new()).Validated();
        var others = Examples.Rows(background, nameof(background));
        var called = new BatchedModel(model, background);
        var row = Array.ConvertAll(Examples.Row(x, others[0].Length), called.Rounded);
        var limits = new FeatureLimits(row, known, others);
        var label = called.Classes([row])[0];
        RequireTarget(known.Target, label, called.Outputs == 1 ? 2 : called.Outputs);
        var search = new CounterfactualSearch(called, row, others, limits, known,
            other => known.Target is { } wanted ? other == wanted : other != label);
        var found = search.Run();
        var labels = found.Count > 0 ? called.Classes([.. found], known.Cancellation) : [];
        return new Counterfactuals(limits.Names, row, label,
            [.. found.Zip(labels, (point, other) => limits.Describe(row, point, other, search.Distance(point, row)))],
                called.RowsSeen);
    }

    /// <summary>Computes the nearest point on the other side of a linear model: class 1 where w·x + b is above 0.</summary>
    /// <param name="weights">w, [features].</param>
    /// <param name="bias">b.</param>
    /// <param name="x">The row, [features] or [1, features].</param>
    /// <param name="options">Norm, margin, frozen features and ranges; null for defaults.</param>
    /// <returns>The point, whose output is the margin behind the boundary.</returns>
    /// <exception cref="ArgumentException">No point within the ranges is on the other side.</exception>
    public static Counterfactual Linear(Tensor weights, double bias, Tensor x, CounterfactualOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var factors = Examples.Row(weights, (int)weights.shape[^1], nameof(weights));
        return ExactCounterfactuals.Linear(factors, bias, Examples.Row(x, factors.Length), (options ?? new()).Validated());
    }

    /// <summary>Computes the nearest point that a tree puts into a leaf of another class.</summary>
    /// <param name="tree">A classification tree.</param>
    /// <param name="x">The row, [features] or [1, features].</param>
    /// <param name="options">Norm, target, frozen features and ranges; null for defaults.</param>
    /// <exception cref="ArgumentException">No leaf of another class can be reached, or the tree predicts numbers.</exception>
    public static Counterfactual Tree(DecisionTree tree, Tensor x, CounterfactualOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tree);
        if (!tree.IsClassifier) throw new ArgumentException("The tree predicts numbers; expected a classification tree.",
            nameof(tree));
        var known = (options ?? new()).Validated();
        var row = Examples.Row(x, tree.FeatureNames.Count);
        RequireTarget(known.Target, DecisionTree.ClassOf(tree.Nodes[tree.LeafOf(row)]), tree.ClassNames.Count);
        return ExactCounterfactuals.Tree(tree, row, known);
    }

    /// <summary>Returns a table with a row for each change.</summary>
    public ResultTable ToTable() => new(["counterfactual", "class", "feature", "from", "to"],
        [.. Found.SelectMany((one, at) => one.Changes.Select(change =>
            (IReadOnlyList<object?>)[at + 1, one.Class, change.Feature, change.From, change.To]))]);

    /// <inheritdoc/>
    public override string ToString() => Found.Count == 0
        ? $"class {OriginalClass}; no counterfactual was found with {ModelRows} rows"
        : $"class {OriginalClass}; {ModelRows} rows asked" + string.Concat(Found.Select(one => $"\n  {one}"));

    private static void RequireTarget(int? target, int own, int classes)
    {
        if (target is not { } wanted) return;
        if (wanted < 0 || wanted >= classes)
            throw new ArgumentException($"Target is class {wanted}; expected a class from 0 to {classes - 1}.");
        if (wanted == own) throw new ArgumentException($"The row is of class {own} already; expected another target.");
    }
}
