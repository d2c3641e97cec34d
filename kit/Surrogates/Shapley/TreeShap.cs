using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Exact Shapley values of decision trees and of sums of trees, in float64.</summary>
/// <remarks>
/// Lundberg et al., 2020, https://arxiv.org/abs/1905.04610. Without background rows the value of a set of known features is the
/// path-dependent one: at a split on an unknown feature both branches count, by the training rows they hold. With background
/// rows it is the interventional one: unknown features take the values of a background row, averaged over the rows.
/// </remarks>
public static class TreeShap
{
    /// <summary>Explains the output of a tree for each row.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="x">Rows to explain, [rows, features].</param>
    /// <param name="background">Background rows [rows, features]; null for the path-dependent value.</param>
    /// <param name="output">Class whose probability is explained; null for the last class, or for a regression tree.</param>
    /// <param name="cancellation">Stops the work between two rows.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static ExplanationSet Explain(DecisionTree tree, Tensor x, Tensor? background = null, int? output = null,
        CancellationToken cancellation = default) => Explain([tree], x, background, output, null, 0, cancellation);

    /// <summary>Explains a weighted sum of trees for each row, such as the mean of a forest or a boosted sum.</summary>
    /// <param name="trees">Trees of the same features.</param>
    /// <param name="x">Rows to explain, [rows, features].</param>
    /// <param name="background">Background rows [rows, features]; null for the path-dependent value.</param>
    /// <param name="output">Class whose probability is explained; null for the last class, or for regression trees.</param>
    /// <param name="weights">Weight of each tree; null for 1.</param>
    /// <param name="intercept">Is added to the sum.</param>
    /// <param name="cancellation">Stops the work between two rows.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static ExplanationSet Explain(IReadOnlyList<DecisionTree> trees, Tensor x, Tensor? background = null,
        int? output = null, IReadOnlyList<double>? weights = null, double intercept = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(trees);
        if (trees.Count == 0) throw new ArgumentException("Got no tree; expected at least one.", nameof(trees));
        var features = trees[0].FeatureNames.Count;
        if (trees.FirstOrDefault(tree => tree.FeatureNames.Count != features) is { } odd)
            throw new ArgumentException($"A tree has {odd.FeatureNames.Count} features; the first has {features}.",
                nameof(trees));
        var factors = weights ?? [.. trees.Select(_ => 1.0)];
        if (factors.Count != trees.Count)
            throw new ArgumentException($"Got {factors.Count} weights for {trees.Count} trees.", nameof(weights));
        var rows = Rows(x, features, nameof(x));
        var others = background is null ? null : Rows(background, features, nameof(background));
        var leaves = trees.SelectMany((tree, at) => LeafGame.Of(tree, OutputOf(tree, output), factors[at])).ToList();
        var contributions = new double[rows.Length, features];
        var outputs = new double[rows.Length];
        var inputs = new double[rows.Length, features];
        for (var row = 0; row < rows.Length; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            var own = others is null ? LeafGame.PathDependent(leaves, rows[row]) : LeafGame.Interventional(leaves, rows[row],
                others);
            outputs[row] = intercept + LeafGame.Output(leaves, rows[row]);
            for (var feature = 0; feature < features; feature++)
            {
                contributions[row, feature] = own[feature];
                inputs[row, feature] = rows[row][feature];
            }
        }
        var baseValue = intercept + (others is null ? leaves.Sum(leaf => leaf.Value * leaf.Cover)
            : others.Average(other => LeafGame.Output(leaves, other)));
        return new ExplanationSet(others is null ? "TreeSHAP, path-dependent" : "TreeSHAP, interventional", trees[0].FeatureNames,
            inputs, contributions, baseValue, outputs)
        {
            Unit = trees[0].IsClassifier ? "probability" : "",
        };
    }

    private static int OutputOf(DecisionTree tree, int? output)
    {
        var count = tree.Nodes[0].Value.Count;
        var chosen = output ?? count - 1;
        return chosen >= 0 && chosen < count ? chosen : throw new ArgumentOutOfRangeException(nameof(output), output,
            $"The tree has {count} outputs; expected an output from 0 to {count - 1}.");
    }

    private static double[][] Rows(Tensor x, int features, string name)
    {
        var rows = Examples.Rows(x, name);
        return rows[0].Length == features ? rows
            : throw new ArgumentException($"{name} has {rows[0].Length} features; the tree was grown on {features}.", name);
    }
}
