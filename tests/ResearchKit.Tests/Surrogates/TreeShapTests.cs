using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class TreeShapTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void Both_kinds_equal_all_coalitions(int depth)
    {
        manual_seed(depth);
        var x = randn([120, 6], float64);
        var y = (x.select(1, 0) * x.select(1, 1)) + x.select(1, 2).relu() + (0.3 * randn([120], float64));
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = depth });
        var rows = x.narrow(0, 0, 5);
        var others = x.narrow(0, 50, 9);
        var pathDependent = TreeShap.Explain(tree, rows);
        var interventional = TreeShap.Explain(tree, rows, others);
        for (var row = 0; row < 5; row++)
        {
            var own = rows[row].Values();
            AssertClose(BruteForce(6, known => Conditional(tree, tree.Nodes[0], own, known)), pathDependent[row]);
            AssertClose(BruteForce(6, known => Enumerable.Range(0, 9).Average(other => tree.Predict(stack([tensor(
                Mixed(own, others[other].Values(), known))])).item<double>())), interventional[row]);
        }
    }

    [Fact]
    public void Values_sum_to_the_output_less_the_base_value()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 6 });
        foreach (var set in new[] { TreeShap.Explain(tree, x.narrow(0, 0, 40)),
            TreeShap.Explain(tree, x.narrow(0, 0, 40), x.narrow(0, 100, 30), output: 0) })
            for (var row = 0; row < 40; row++) Assert.Equal(set.Outputs[row], set[row].Sum, 10);
        Assert.Equal(y.to(float64).mean().item<double>(), TreeShap.Explain(tree, x.narrow(0, 0, 1)).BaseValue, 10);
    }

    [Fact]
    public void Values_of_a_sum_of_trees_are_the_sum_of_their_values()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var trees = new[] { 2, 4 }.Select(depth => DecisionTree.Fit(x, y.to(float64), new() { MaxDepth = depth })).ToList();
        var rows = x.narrow(0, 0, 6);
        var together = TreeShap.Explain(trees, rows, weights: [0.5, 2], intercept: 1);
        var (first, second) = (TreeShap.Explain(trees[0], rows), TreeShap.Explain(trees[1], rows));
        for (var row = 0; row < 6; row++)
            for (var feature = 0; feature < 30; feature++)
                Assert.Equal((0.5 * first.Contributions[row, feature]) + (2 * second.Contributions[row, feature]),
                    together.Contributions[row, feature], 12);
        Assert.Equal(1 + (0.5 * first.BaseValue) + (2 * second.BaseValue), together.BaseValue, 12);
    }

    [Fact]
    public void A_feature_that_the_tree_never_asks_gets_nothing_and_equal_features_get_the_same()
    {
        // AND of two features: both 1 gives 1/2 each above the mean of 1/4 ... with uniform rows
        var x = tensor(new double[] { 0, 0, 5, 0, 1, 5, 1, 0, 5, 1, 1, 5 }, [4, 3]);
        var tree = DecisionTree.Fit(x, tensor(new double[] { 0, 0, 0, 1 }));
        var set = TreeShap.Explain(tree, x.narrow(0, 3, 1), x);
        Assert.Equal([0.375, 0.375, 0], set[0].Contributions);
        Assert.Equal(0.25, set.BaseValue);
    }

    [Fact]
    public void Outputs_and_shapes_that_do_not_exist_are_refused()
    {
        var (x, y) = Classic.Data("iris");
        var tree = DecisionTree.Fit(x, y);
        Assert.Throws<ArgumentOutOfRangeException>(() => TreeShap.Explain(tree, x, output: 3));
        Assert.Throws<ArgumentException>(() => TreeShap.Explain(tree, x, x.narrow(1, 0, 2)));
    }

    private static void AssertClose(double[] expected, Explanation actual)
    {
        for (var feature = 0; feature < expected.Length; feature++)
            Assert.Equal(expected[feature], actual.Contributions[feature], 1e-10);
    }

    private static double[] Mixed(double[] own, double[] other, int known) =>
        [.. own.Select((value, feature) => (known >> feature & 1) == 1 ? value : other[feature])];

    private static double Conditional(DecisionTree tree, TreeNode node, double[] row, int known)
    {
        if (node.IsLeaf) return node.Value[0];
        var (left, right) = (tree.Nodes[node.Left], tree.Nodes[node.Right]);
        if ((known >> node.Feature & 1) == 1)
            return Conditional(tree, (float)row[node.Feature] <= node.Threshold ? left : right, row, known);
        return ((left.WeightedSamples * Conditional(tree, left, row, known))
            + (right.WeightedSamples * Conditional(tree, right, row, known))) / node.WeightedSamples;
    }

    /// <summary>Shapley values by all sets.</summary>
    private static double[] BruteForce(int features, Func<int, double> value)
    {
        var values = Enumerable.Range(0, 1 << features).Select(value).ToArray();
        double Factorial(int n) => n < 2 ? 1 : n * Factorial(n - 1);
        return [.. Enumerable.Range(0, features).Select(feature => Enumerable.Range(0, 1 << features)
            .Where(set => (set >> feature & 1) == 0).Sum(set =>
            {
                var size = System.Numerics.BitOperations.PopCount((uint)set);
                return Factorial(size) * Factorial(features - size - 1) / Factorial(features)
                    * (values[set | (1 << feature)] - values[set]);
            }))];
    }
}
