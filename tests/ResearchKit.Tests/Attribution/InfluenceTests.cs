using ResearchKit.Attribution;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Attribution;

public sealed class InfluenceTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public InfluenceTests() => ResearchKit.Native.Compute.Seed(3);

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void Least_squares_without_an_example_equals_a_new_fit(double ridge)
    {
        var (x, y) = (randn(30, 4, float64), randn(30, float64));
        var without = LeaveOneOut.LeastSquares(x, y, ridge);
        for (var example = 0; example < 30; example += 7)
        {
            var kept = cat([arange(0, example, dtype: int64), arange(example + 1, 30, dtype: int64)]);
            var (a, b) = (x.index_select(0, kept), y.index_select(0, kept));
            var expected = linalg.solve(a.t().matmul(a) + (ridge * eye(4, dtype: float64)),
                a.t().matmul(b).unsqueeze(1)).flatten();
            Assert.InRange((without[example] - expected).abs().max().item<double>(), 0, 1e-10);
        }
    }

    [Fact]
    public void Dependent_features_are_refused()
    {
        var x = randn(10, 2);
        Assert.Contains("not unique", Assert.Throws<ArgumentException>(() =>
            LeaveOneOut.LeastSquares(cat([x, x], 1), randn(10))).Message, StringComparison.Ordinal);
        var one = zeros(5, 1);
        one[3, 0] = 1;
        Assert.Contains("Example 3", Assert.Throws<ArgumentException>(() =>
            LeaveOneOut.LeastSquares(cat([ones(5, 1), one], 1), randn(5))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Newton_step_is_near_the_classifier_that_is_fitted_without_the_example()
    {
        var (x, labels) = (randn(60, 3, float64), randint(0, 3, [60], dtype: int64));
        const double Ridge = 1;
        var all = Fit(x, labels, Ridge);
        var steps = LeaveOneOut.CrossEntropyStep(x, labels, all, Ridge);
        var kept = arange(1, 60, dtype: int64);
        var refitted = Fit(x.index_select(0, kept), labels.index_select(0, kept), Ridge);
        var moved = (refitted - all).norm().item<double>();
        Assert.InRange((steps[0] - refitted).norm().item<double>(), 0, 0.05 * moved);
    }

    [Fact]
    public void Influence_predicts_what_a_small_step_does_to_the_test_loss()
    {
        var model = nn.Sequential(("0", nn.Linear(4, 6)), ("1", nn.Tanh()), ("2", nn.Linear(6, 2)));
        var (x, y) = (randn(5, 4), tensor(new long[] { 0, 1, 0, 1, 1 }));
        Tensor Loss(int at) => nn.functional.cross_entropy(model.call(x[at..(at + 1)]), y[at..(at + 1)]);
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var grid = TracIn.Of(model, Loss, [0, 1, 2], [3, 4]);
        Assert.All(model.state_dict(), pair => Assert.True(pair.Value.Equals(before[pair.Key])));
        const double Rate = 1e-3;
        var loss = Loss(3).item<float>();
        Loss(1).backward();
        using (no_grad())
            foreach (var parameter in model.parameters()) parameter.sub_(parameter.grad! * Rate);
        Assert.Equal(grid.Values[0, 1], (loss - Loss(3).item<float>()) / Rate, 0.02 * Math.Abs(grid.Values[0, 1]) + 2e-3);
    }

    [Fact]
    public void Checkpoints_are_weighed_by_their_rates()
    {
        var model = nn.Linear(3, 1);
        Tensor Loss(Tensor x) => model.call(x).square().sum();
        var examples = new[] { randn(1, 3), randn(1, 3) };
        var state = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var once = TracIn.Of(model, Loss, examples, examples);
        var sum = TracIn.Of(model, Loss, examples, examples, [new(state, 0.5), new(state, 1.5)]);
        Assert.Equal(2 * once.Values[0, 1], sum.Values[0, 1], 6);
        Assert.Equal(once.Values[0, 1], once.Values[1, 0], 6);
        Assert.True(once.Values[0, 0] >= 0);
        Assert.Contains("'other'", Assert.Throws<ArgumentException>(() => TracIn.Of(model, Loss, examples, examples,
            [new(new Dictionary<string, Tensor> { ["other"] = ones(1) }, 1)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Neighbours_are_sorted_and_prototypes_come_from_each_cluster()
    {
        var centres = tensor(new float[] { 10, 0, 0, 10, -10, 0, 0, -10 }).view(4, 2);
        var training = centres.repeat_interleave(10, 0) + (0.1 * randn(40, 2));
        var near = NearestExamples.Of(centres, training, 3);
        for (var cluster = 0; cluster < 4; cluster++)
        {
            Assert.All(near[cluster], one => Assert.Equal(cluster, one.Index / 10));
            Assert.True(near[cluster][0].Similarity >= near[cluster][2].Similarity);
        }
        Assert.Equal([0L, 1, 2, 3], NearestExamples.Prototypes(training, 4).Select(index => index / 10).Order());
    }

    private static Tensor Fit(Tensor x, Tensor labels, double ridge)
    {
        var weights = zeros([3, x.shape[1]], float64);
        for (var round = 0; round < 400; round++)
        {
            var p = x.matmul(weights.t()).softmax(-1) - nn.functional.one_hot(labels, 3).to(float64);
            weights = weights - (0.02 * (p.t().matmul(x) + (ridge * weights)));
        }
        return weights;
    }
}
