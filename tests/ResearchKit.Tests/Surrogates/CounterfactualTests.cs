using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class CounterfactualTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_nearest_points_of_a_line_are_those_by_hand()
    {
        var (w, x) = (tensor(new[] { 3.0, 4 }), tensor(new[] { 2.0, 1 }));
        var straight = Counterfactuals.Linear(w, -5, x);
        AssertNear([1.4, 0.2], straight.Values, 1e-6);
        Assert.Equal(1, straight.Distance, 1e-6);
        AssertNear([2, -0.25], Counterfactuals.Linear(w, -5, x, new() { Norm = DistanceNorm.L1 }).Values, 1e-6);
        AssertNear([1.0 / 3, 1], Counterfactuals.Linear(w, -5, x, new() { Frozen = ["x1"] }).Values, 1e-6);
        // x1 stops at its bound, and x0 moves the rest of the way
        var bounded = Counterfactuals.Linear(w, -5, x, new()
        {
            Ranges = new Dictionary<string, (double, double)>
            {
                ["x1"] =
            (0.5, 2)
            }
        });
        AssertNear([1, 0.5], bounded.Values, 1e-6);
        Assert.Equal(0, straight.Class);
    }

    [Theory]
    [InlineData(DistanceNorm.L1)]
    [InlineData(DistanceNorm.L2)]
    public void The_output_is_the_margin_behind_the_boundary(DistanceNorm norm)
    {
        manual_seed(4);
        for (var trial = 0; trial < 20; trial++)
        {
            var (w, x) = (randn([5], float64), randn([5], float64));
            var output = w.dot(x).item<double>() + 0.3;
            var found = Counterfactuals.Linear(w, 0.3, x, new() { Norm = norm, Margin = 0.01 });
            Assert.Equal(-Math.Sign(output) * 0.01, w.dot(tensor(found.Values.ToArray())).item<double>() + 0.3, 1e-9);
            Assert.Equal(output > 0 ? 0 : 1, found.Class);
        }
    }

    [Theory]
    [InlineData(DistanceNorm.L1)]
    [InlineData(DistanceNorm.L2)]
    public void No_random_point_of_another_class_is_nearer_than_the_leaf(DistanceNorm norm)
    {
        var (x, y) = Classic.Data("iris");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 4 });
        manual_seed(5);
        for (var row = 0; row < 150; row += 30)
        {
            var found = Counterfactuals.Tree(tree, x[row], new() { Norm = norm });
            var own = tree.Predict(x.narrow(0, row, 1)).item<long>();
            Assert.NotEqual(own, tree.Predict(tensor(found.Values.ToArray()).unsqueeze(0)).item<long>());
            Assert.Equal(found.Class, tree.Predict(tensor(found.Values.ToArray()).unsqueeze(0)).item<long>());
            var around = x[row] + ((rand([2000, 4], float64) - 0.5) * 4 * found.Distance);
            var other = around[tree.Predict(around).ne(own)];
            var distances = norm == DistanceNorm.L1 ? (other - x[row]).abs().sum(1) : (other - x[row]).square().sum(1).sqrt();
            Assert.True(distances.numel() == 0 || distances.min().item<double>() >= found.Distance - 1e-6);
        }
    }

    [Fact]
    public void Every_point_found_has_another_class_and_respects_the_limits()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 5 });
        var calls = 0L;
        Tensor Model(Tensor rows)
        {
            calls += rows.shape[0];
            return tree.PredictProbabilities(rows);
        }
        var options = new CounterfactualOptions
        {
            Count = 3,
            MaxRows = 4000,
            Frozen = ["x20"],
            Ranges = new Dictionary<string, (double, double)> { ["x27"] = (0, 0.3) },
        };
        var found = Counterfactuals.Explain(Model, x[0], x, options);
        Assert.InRange(found.Found.Count, 1, 3);
        Assert.True(calls <= 4000 + 9, $"{calls} rows");
        foreach (var one in found.Found)
        {
            Assert.NotEqual(found.OriginalClass, one.Class);
            Assert.Equal(one.Class, tree.Predict(tensor(one.Values.ToArray()).unsqueeze(0)).item<long>());
            Assert.Equal(found.Original[20], one.Values[20]);
            Assert.InRange(one.Values[27], 0, 0.3);
            Assert.InRange(one.Changes.Count, 1, 6);
        }
        Assert.Equal(found.Found.Count, found.Found.Select(one => string.Join(';', one.Values)).Distinct().Count());
    }

    [Fact]
    public void A_search_comes_close_to_the_nearest_point()
    {
        manual_seed(6);
        var background = randn([400, 2], float64);
        static Tensor Model(Tensor x) => x.matmul(tensor(new[] { 3.0, 4 })) - 5;
        var found = Counterfactuals.Explain(Model, tensor(new[] { 2.0, 1 }), background, new() { Count = 2 });
        Assert.All(found.Found, one => Assert.Equal(0, one.Class));
        Assert.True(found.Found.Min(one => one.Changes.Sum(change => Math.Abs(change.To - change.From))) < 1.4);
    }

    [Fact]
    public void What_cannot_be_reached_is_said()
    {
        var x = tensor(new[] { 2.0, 1 });
        var background = randn([50, 2], float64);
        static Tensor Model(Tensor rows) => rows.select(1, 0);
        Assert.Throws<KeyNotFoundException>(() => Counterfactuals.Explain(Model, x, background, new() { Frozen = ["age"] }));
        Assert.Throws<ArgumentException>(() => Counterfactuals.Explain(Model, x, background, new() { Frozen = ["x0", "x1"] }));
        Assert.Throws<ArgumentException>(() => Counterfactuals.Explain(Model, x, background, new() { Target = 1 }));
        var none = Counterfactuals.Explain(Model, x, background, new() { Frozen = ["x0"], MaxRows = 500 });
        Assert.Empty(none.Found);
        Assert.Contains("no counterfactual was found", none.ToString(), StringComparison.Ordinal);
        Assert.Contains("at most", Assert.Throws<ArgumentException>(() => Counterfactuals.Linear(tensor(new[] { 3.0, 4 }), -5, x,
            new() { Ranges = new Dictionary<string, (double, double)> { ["x0"] = (1.9, 3), ["x1"] = (0.9, 3) } })).Message,
            StringComparison.Ordinal);
    }

    private static void AssertNear(double[] expected, IReadOnlyList<double> actual, double tolerance)
    {
        for (var at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], tolerance);
    }
}
