using System.Text.Json;
using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class DecisionTreeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Trees =>
        [.. Classic.Section("decision_tree").EnumerateObject().Select(tree => tree.Name)];

    [Theory]
    [MemberData(nameof(Trees))]
    public void Every_split_is_one_of_the_best_of_the_reference(string name)
    {
        var golden = Classic.Section("decision_tree").GetProperty(name);
        var set = golden.GetProperty("data").GetString()!;
        var (x, y) = Classic.Data(set);
        var tree = DecisionTree.Fit(x, y, Options(golden.GetProperty("hyper")));
        var nodes = golden.GetProperty("nodes").EnumerateArray().ToList();
        var followed = Compare(tree, tree.Nodes[0], nodes, nodes[0]);
        var accuracy = tree.Predict(x).eq(y).to(float64).mean().item<double>();
        if (!followed) return;      // another of equally good splits was taken; below it the trees differ
        Assert.Equal(golden.GetProperty("train_accuracy").GetDouble(), accuracy, 12);
        Assert.Equal(nodes.Count, tree.Nodes.Count);
        var importances = golden.GetProperty("feature_importances").Numbers();
        for (var feature = 0; feature < importances.Length; feature++)
            Assert.Equal(importances[feature], tree.FeatureImportances[feature], 9);
        var names = Classic.Features(set).Select(feature => feature.Replace(' ', '_')).ToList();
        var named = DecisionTree.Fit(x, y, Options(golden.GetProperty("hyper")) with { FeatureNames = names });
        Assert.Equal(golden.GetProperty("text").GetString(), named.ToText(6));
        var first = golden.GetProperty("predictions_first_20").Numbers();
        Assert.Equal(first, tree.Predict(x.narrow(0, 0, 20)).Values());
    }

    [Fact]
    public void The_reference_trees_of_breast_cancer_are_the_same_to_the_last_node()
    {
        foreach (var golden in Classic.Section("decision_tree").EnumerateObject().Where(tree => tree.Name.StartsWith("breast",
            StringComparison.Ordinal)))
        {
            var (x, y) = Classic.Data("breast_cancer");
            var tree = DecisionTree.Fit(x, y, Options(golden.Value.GetProperty("hyper")));
            var nodes = golden.Value.GetProperty("nodes").EnumerateArray().ToList();
            var hasTies = nodes.Any(node => node.TryGetProperty("tied", out var tied) && tied.GetArrayLength() > 1);
            Assert.True(hasTies || Compare(tree, tree.Nodes[0], nodes, nodes[0]), golden.Name);
        }
    }

    [Fact]
    public void A_tree_without_limits_knows_its_training_rows()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y);
        Assert.Equal(1, tree.Predict(x).eq(y).to(float64).mean().item<double>());
    }

    [Fact]
    public void Accuracy_on_the_training_rows_never_falls_with_depth()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var last = 0.0;
        for (var depth = 1; depth <= 6; depth++)
        {
            var accuracy = DecisionTree.Fit(x, y, new() { MaxDepth = depth }).Predict(x).eq(y).to(float64).mean().item<double>();
            Assert.True(accuracy >= last, $"{accuracy} at depth {depth} after {last}");
            last = accuracy;
        }
    }

    [Fact]
    public void Best_first_growth_without_a_limit_reaches_the_same_leaves()
    {
        var (x, y) = Classic.Data("iris");
        var depthFirst = DecisionTree.Fit(x, y);
        var bestFirst = DecisionTree.Fit(x, y, new() { MaxLeafNodes = 1000 });
        Assert.Equal(depthFirst.Leaves, bestFirst.Leaves);
        Assert.True(depthFirst.PredictProbabilities(x).allclose(bestFirst.PredictProbabilities(x)));
        Assert.Equal(4, DecisionTree.Fit(x, y, new() { MaxLeafNodes = 4 }).Leaves);
    }

    [Fact]
    public void Pruning_removes_leaves_until_only_the_root_is_left()
    {
        var (x, y) = Classic.Data("iris");
        var leaves = new[] { 0, 0.005, 0.02, 0.3, 1 }.Select(alpha =>
            DecisionTree.Fit(x, y, new() { CcpAlpha = alpha }).Leaves).ToList();
        Assert.Equal(leaves.OrderDescending(), leaves);
        Assert.Equal(1, leaves[^1]);
        Assert.True(leaves[0] > leaves[2]);
    }

    [Fact]
    public void A_weight_of_two_is_a_row_twice()
    {
        var (x, y) = Classic.Data("iris");
        var weights = ones(150, float64);
        weights[TensorIndex.Slice(0, 40)] = 2;
        var weighted = DecisionTree.Fit(x, y, new() { MaxDepth = 3 }, weights);
        var twice = DecisionTree.Fit(cat([x, x.narrow(0, 0, 40)]), cat([y, y.narrow(0, 0, 40)]), new() { MaxDepth = 3 });
        Assert.True(weighted.PredictProbabilities(x).allclose(twice.PredictProbabilities(x), 1e-12));
    }

    [Fact]
    public void A_regression_tree_predicts_the_mean_of_its_leaf()
    {
        var x = tensor(new double[] { 1, 2, 3, 10, 11, 12 }, [6, 1]);
        var tree = DecisionTree.Fit(x, tensor(new double[] { 1, 2, 3, 100, 101, 102 }), new() { MaxDepth = 1 });
        Assert.Equal(6.5, tree.Nodes[0].Threshold);
        Assert.Equal([2, 2, 2, 101, 101, 101], tree.Predict(x).Values());
    }

    [Fact]
    public void Its_rules_say_what_it_predicts()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 4, ClassNames = ["malignant", "benign"] });
        var rules = tree.Rules();
        Assert.Equal(569, rules.Sum(rule => rule.Samples));
        for (var row = 0; row < 569; row++)
        {
            var values = x[row].to(float32).Values();
            var rule = Assert.Single(rules, rule => rule.Holds(values));
            Assert.Equal(tree.ClassNames[(int)tree.Predict(x.narrow(0, row, 1)).item<long>()], rule.Consequence);
            if (row > 60) break;
        }
    }

    [Fact]
    public void Mermaid_text_has_every_node_and_escapes_names()
    {
        var (x, y) = Classic.Data("iris");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 1, FeatureNames = ["a", "b", "c\"]<b>", "d"] });
        var text = tree.ToMermaid();
        Assert.StartsWith("flowchart TD\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", text, StringComparison.Ordinal);
        Assert.Equal(3, text.Split('\n').Count(line => line.Contains("[\"", StringComparison.Ordinal)));
        Assert.Equal(2, tree.ToGraph().Edges.Count);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        var x = tensor(new[] { 1.0, double.NaN, 2, 3 }, [2, 2]);
        var y = tensor(new long[] { 0, 1 });
        Assert.Contains("row 0, feature 1", Assert.Throws<ArgumentException>(() => DecisionTree.Fit(x, y)).Message,
            StringComparison.Ordinal);
        var fine = ones(2, 2);
        Assert.Contains("expected [2]", Assert.Throws<ArgumentException>(() =>
            DecisionTree.Fit(fine, tensor(new long[] { 0, 1, 1 }))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => DecisionTree.Fit(fine, y, new() { MaxDepth = 0 }));
        Assert.Throws<ArgumentException>(() => DecisionTree.Fit(fine, y, new() { FeatureNames = ["a"] }));
        Assert.Throws<ArgumentException>(() => DecisionTree.Fit(fine, y).Predict(ones(2, 3)));
        Assert.Throws<ArgumentException>(() => DecisionTree.Fit(fine, tensor(new long[] { 0, -1 })));
    }

    /// <summary>Compares along the reference; false where another of equally good splits was taken.</summary>
    private static bool Compare(DecisionTree tree, TreeNode node, List<JsonElement> nodes, JsonElement golden)
    {
        Assert.Equal(golden.GetProperty("impurity").GetDouble(), node.Impurity, 9);
        Assert.Equal(golden.GetProperty("n_samples").GetInt32(), node.Samples);
        Assert.Equal(golden.GetProperty("class_counts").Numbers(), node.Value);
        if (!golden.TryGetProperty("left", out var left) || left.ValueKind == JsonValueKind.Null || left.GetInt32() < 0)
        {
            Assert.True(node.IsLeaf);
            return true;
        }
        Assert.Contains(golden.GetProperty("tied").EnumerateArray(), split => split.GetProperty("feature").GetInt32()
            == node.Feature && Math.Abs(split.GetProperty("threshold").GetDouble() - node.Threshold) < 1e-12);
        var (low, high) = (tree.Nodes[node.Left], tree.Nodes[node.Right]);
        var decrease = node.Impurity
            - (((low.WeightedSamples * low.Impurity) + (high.WeightedSamples * high.Impurity)) / node.WeightedSamples);
        Assert.Equal(golden.GetProperty("best_impurity_decrease").GetDouble(), decrease, 9);
        if (golden.GetProperty("feature").GetInt32() != node.Feature) return false;
        if (Math.Abs(golden.GetProperty("threshold").GetDouble() - node.Threshold) > 1e-12) return false;
        var right = golden.GetProperty("right").GetInt32();
        return Compare(tree, low, nodes, nodes[left.GetInt32()]) & Compare(tree, high, nodes, nodes[right]);
    }

    private static DecisionTreeOptions Options(JsonElement hyper)
    {
        var options = new DecisionTreeOptions();
        if (hyper.TryGetProperty("max_depth", out var depth)) options = options with { MaxDepth = depth.GetInt32() };
        if (hyper.TryGetProperty("min_samples_leaf", out var leaf)) options = options with { MinSamplesLeaf = leaf.GetInt32() };
        if (hyper.TryGetProperty("criterion", out var criterion) && criterion.GetString() == "entropy")
            options = options with { Criterion = TreeCriterion.Entropy };
        return options;
    }
}
