using System.Text.Json;
using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class FeatureTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("iris")]
    [InlineData("breast_cancer")]
    public void Scores_of_features_are_those_of_the_reference(string set)
    {
        var (x, y) = Classic.Data(set);
        var golden = Classic.Section("feature_scores").GetProperty(set);
        var f = FeatureScores.FClassification(x, y);
        AssertRelative(golden.GetProperty("f_classif").GetProperty("F").Numbers(), f.Values);
        AssertRelative(golden.GetProperty("f_classif").GetProperty("p").Numbers(), f.PValues);
        var chi2 = FeatureScores.Chi2(x, y);
        AssertRelative(golden.GetProperty("chi2").GetProperty("chi2").Numbers(), chi2.Values);
        AssertRelative(golden.GetProperty("chi2").GetProperty("p").Numbers(), chi2.PValues);
        var information = golden.GetProperty("mutual_info_classif");
        var mean = information.GetProperty("mean_over_random_state_0_to_19").Numbers();
        var deviation = information.GetProperty("std_over_random_state_0_to_19").Numbers();
        var own = FeatureScores.MutualInformation(x, y);
        for (var feature = 0; feature < mean.Length; feature++)
            Assert.InRange(own.Values[feature], mean[feature] - Math.Max(4 * deviation[feature], 0.01),
                mean[feature] + Math.Max(4 * deviation[feature], 0.01));
    }

    [Theory]
    [InlineData("iris")]
    [InlineData("breast_cancer")]
    public void Principal_components_are_those_of_the_reference(string set)
    {
        var golden = Classic.Tensors($"pca_{set}");
        var pca = PrincipalComponents.Fit(golden["input"], 4);
        AssertRelative(golden["explained_variance"].Values(), pca.ExplainedVariance, 1e-8);
        AssertRelative(golden["explained_variance_ratio"].Values(), pca.ExplainedVarianceRatio, 1e-8);
        AssertRelative(golden["singular_values"].Values(), pca.SingularValues, 1e-8);
        AssertRelative(golden["components"].Values(), [.. pca.Components.SelectMany(axis => axis)], 1e-8);
        Assert.True(golden["transformed"].allclose(pca.Transform(golden["input"]), 1e-8, 1e-9));
        var whitened = PrincipalComponents.Fit(golden["input"], 4, whiten: true);
        Assert.True(golden["whitened"].allclose(whitened.Transform(golden["input"]), 1e-8, 1e-9));
        var all = PrincipalComponents.Fit(golden["input"], whiten: true);
        Assert.True(all.InverseTransform(all.Transform(golden["input"])).allclose(golden["input"], 1e-8, 1e-9));
    }

    [Theory]
    [InlineData("iris")]
    [InlineData("breast_cancer")]
    public void Logistic_regression_has_the_coefficients_of_the_reference(string set)
    {
        var (x, y) = Classic.Data(set);
        var centred = x - x.mean([0]);
        var standardized = centred / centred.square().mean([0]).sqrt();
        var golden = Classic.Section("logistic_regression").GetProperty(set);
        var fit = LogisticRegression.Fit(standardized, y);
        const double Tolerance = 2e-4;      // the reference stops at a gradient of 3e-4; ours is 0
        var expected = golden.GetProperty("coef").EnumerateArray().ToList();
        for (var row = 0; row < expected.Count; row++)
            foreach (var (wanted, had) in expected[row].Numbers().Zip(fit.Coefficients[row])) Assert.Equal(wanted, had,
                Tolerance);
        foreach (var (wanted, had) in golden.GetProperty("intercept").Numbers().Zip(fit.Intercepts)) Assert.Equal(wanted, had,
            Tolerance);
        Assert.Equal(golden.GetProperty("train_accuracy").GetDouble(), fit.Predict(standardized).eq(y).to(float64).mean()
            .item<double>(), 12);
    }

    [Theory]
    [InlineData("iris")]
    [InlineData("breast_cancer")]
    public void Permutation_importance_is_exact_with_the_permutations_of_the_reference(string set)
    {
        var (x, y) = Classic.Data(set);
        var golden = Classic.Tensors($"permutation_importance_{set}");
        var nodes = Classic.Section("decision_tree").GetProperty($"{set}_max_depth3").GetProperty("nodes");
        var found = PermutationImportance.Compute(rows => Predicted(nodes, rows), x, y,
            new() { Permutations = golden["permutations"] });
        Assert.Equal(Classic.Section("permutation_importance").GetProperty(set).GetProperty("baseline_accuracy").GetDouble(),
            found.BaselineScore, 9);
        AssertClose(golden["importances"].Values(), [.. found.Importances.SelectMany(each => each)]);
        AssertClose(golden["mean"].Values(), found.Scores.Values);
        AssertClose(golden["std"].Values(), found.Scores.Deviations);
    }

    [Fact]
    public void A_feature_that_the_model_does_not_use_has_no_permutation_importance()
    {
        var (x, y) = Classic.Data("iris");
        var found = PermutationImportance.Compute(rows => rows.select(1, 2).gt(2.5).to(int64), x, y);
        Assert.Equal([0, 0, 0], new[] { 0, 1, 3 }.Select(feature => found.Scores.Values[feature]));
        Assert.True(found.Scores.Values[2] > 0.1);
    }

    [Fact]
    public void Elimination_keeps_what_the_target_depends_on()
    {
        using var generator = manual_seed(3);
        var x = randn([200, 6], float64);
        var y = (x.select(1, 1) - x.select(1, 4)).gt(0).to(int64);
        var found = RecursiveElimination.Fit(x, y, 2);
        Assert.Equal([1, 4], found.Selected);
        Assert.Equal([2, 3, 4, 5], found.Ranking.Where(rank => rank > 1).Order());
        Assert.Equal([2, 2, 3, 3], RecursiveElimination.Fit(x, y, 2, step: 2).Ranking.Where(rank => rank > 1).Order());
    }

    [Fact]
    public void Mutual_information_of_normal_numbers_is_that_of_their_correlation()
    {
        manual_seed(5);
        var x = randn([600, 1], float64);
        var y = (0.8 * x.squeeze(1)) + (0.6 * randn([600], float64));
        Assert.Equal(-0.5 * Math.Log(1 - 0.64), FeatureScores.MutualInformation(x, y).Values[0], 0.08);
        var coin = x.gt(0).to(float64);
        Assert.Equal(Math.Log(2), FeatureScores.MutualInformation(coin, coin.squeeze(1).to(int64), discrete: [0]).Values[0],
            0.01);
    }

    [Fact]
    public void The_F_test_of_a_line_is_the_square_of_the_t_test()
    {
        // r = 0.8 of five points: t = r √(3 / (1 - r²)), F = t²
        var x = tensor(new double[] { 1, 2, 3, 4, 5 }, [5, 1]);
        var found = FeatureScores.FRegression(x, tensor(new double[] { 2, 1, 4, 3, 5 }));
        Assert.Equal(0.64 / 0.36 * 3, found.Values[0], 10);
        Assert.Equal(0.10408803866182788, found.PValues[0], 9);
    }

    [Fact]
    public void Constant_features_are_named()
    {
        var x = ones(4, 2, dtype: float64);
        var y = tensor(new long[] { 0, 1, 0, 1 });
        Assert.Contains("'x0' is 1 in all rows", Assert.Throws<ArgumentException>(() =>
            FeatureScores.FClassification(x, y)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => FeatureScores.Chi2(-x, y));
        Assert.Throws<ArgumentException>(() => PrincipalComponents.Fit(x));
        Assert.Throws<ArgumentException>(() => RecursiveElimination.Fit(x, y, 3));
    }

    /// <summary>Follows the tree of the reference; of equally good splits, our own tree may take another.</summary>
    private static Tensor Predicted(JsonElement nodes, Tensor x)
    {
        var classes = new List<long>();
        foreach (var row in x.to(float32).Values().Chunk((int)x.shape[1]))
        {
            var node = nodes[0];
            while (node.TryGetProperty("left", out var left) && left.ValueKind == JsonValueKind.Number && left.GetInt32() >= 0)
                node = nodes[row[node.GetProperty("feature").GetInt32()] <= node.GetProperty("threshold").GetDouble()
                    ? left.GetInt32() : node.GetProperty("right").GetInt32()];
            var counts = node.GetProperty("class_counts").Numbers();
            classes.Add(Array.IndexOf(counts, counts.Max()));
        }
        return tensor([.. classes]);
    }

    private static void AssertRelative(double[] expected, IReadOnlyList<double> actual, double tolerance = 1e-6)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (var at = 0; at < expected.Length; at++)
            Assert.True(Math.Abs(expected[at] - actual[at]) <= tolerance * Math.Max(Math.Abs(expected[at]), 1e-300)
                + (tolerance < 1e-7 ? 1e-10 : 0), $"{actual[at]:R} at {at}; expected {expected[at]:R}");
    }

    private static void AssertClose(double[] expected, IReadOnlyList<double> actual)
    {
        for (var at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-9);
    }
}
