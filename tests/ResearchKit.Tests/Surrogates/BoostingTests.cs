using ResearchKit.Metrics;
using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class BoostingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Terms_sum_to_the_logit_and_pairs_are_purified()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var model = ExplainableBoosting.Fit(x, y, new() { MaxRounds = 60, OuterBags = 2, Interactions = 4 });
        var explained = model.Explain(x);
        var logits = model.Logits(x).Values();
        for (var row = 0; row < 569; row++) Assert.Equal(logits[row], explained[row].Sum, 9);
        Assert.Equal(4, model.Pairs.Count);
        foreach (var pair in model.Pairs)
        {
            for (var row = 0; row < pair.Values.GetLength(0); row++)
                Assert.Equal(0, Enumerable.Range(0, pair.Values.GetLength(1)).Sum(column =>
                    pair.Values[row, column] * pair.Counts[row, column]), 1e-8);
            for (var column = 0; column < pair.Values.GetLength(1); column++)
                Assert.Equal(0, Enumerable.Range(0, pair.Values.GetLength(0)).Sum(row =>
                    pair.Values[row, column] * pair.Counts[row, column]), 1e-8);
        }
        foreach (var shape in model.Shapes) Assert.Equal(0, shape.Values.Zip(shape.Counts).Sum(bin => bin.First * bin.Second),
            1e-8);
    }

    [Fact]
    public void It_ranks_tumours_as_the_published_machine_does()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var order = Enumerable.Range(0, 569).Select(row => (long)row).ToArray();
        new Random(1).Shuffle(order);
        var areas = new List<double>();
        for (var fold = 0; fold < 5; fold++)
        {
            var test = tensor(order.Where((_, at) => at % 5 == fold).ToArray());
            var train = tensor(order.Where((_, at) => at % 5 != fold).ToArray());
            var model = ExplainableBoosting.Fit(x.index_select(0, train), y.index_select(0, train));
            areas.Add(Metric.RocAuc.Of(model.Logits(x.index_select(0, test)), y.index_select(0, test)));
        }
        Assert.True(areas.Average() >= 0.99, $"mean AUROC {areas.Average()} of {string.Join(", ", areas)}");
    }

    [Fact]
    public void It_finds_the_terms_of_a_sum()
    {
        manual_seed(1);
        var x = (rand([800, 3], float64) * 2) - 1;
        var y = x.select(1, 0).square() + x.select(1, 1).sign();
        var model = ExplainableBoosting.Fit(x, y, new() { Interactions = 0 });
        var shape = model.Shapes[0];
        Assert.True(shape.Of(0.95) - shape.Of(0) is > 0.6 and < 1.1);
        Assert.Equal(2, model.Shapes[1].Of(0.5) - model.Shapes[1].Of(-0.5), 0.2);
        Assert.True(model.Shapes[2].Importance < 0.1 * shape.Importance);
    }

    [Fact]
    public void It_finds_a_pair_that_no_single_feature_shows()
    {
        manual_seed(2);
        var x = (rand([600, 4], float64) * 2) - 1;
        var y = (x.select(1, 1) * x.select(1, 3)).gt(0).to(int64);
        var model = ExplainableBoosting.Fit(x, y, new() { Interactions = 1, MaxRounds = 150 });
        Assert.Equal((1, 3), (model.Pairs[0].First, model.Pairs[0].Second));
        Assert.True(model.Predict(x).eq(y).to(float64).mean().item<double>() > 0.9);
    }

    [Fact]
    public void The_same_seed_gives_the_same_model()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var options = new ExplainableBoostingOptions { MaxRounds = 10, OuterBags = 2, Interactions = 2 };
        Assert.Equal(ExplainableBoosting.Fit(x, y, options).Logits(x).Values(), ExplainableBoosting.Fit(x, y, options).Logits(x)
            .Values());
    }

    [Fact]
    public void Purifying_moves_sums_and_changes_no_total()
    {
        double[] cells = [1, 2, 3, 4, 5, 9], weights = [1, 0, 2, 3, 1, 1];
        var before = (double[])cells.Clone();
        var (rows, columns) = Purification.Purify(cells, weights, 3);
        for (var at = 0; at < 6; at++) Assert.Equal(before[at], cells[at] + rows[at / 3] + columns[at % 3], 12);
        Assert.Equal(0, (cells[0] * 1) + (cells[2] * 2), 12);
        Assert.Equal(0, (cells[1] * 0) + (cells[4] * 1), 12);
    }

    [Fact]
    public void Other_classes_and_few_rows_are_refused()
    {
        var (x, y) = Classic.Data("iris");
        Assert.Contains("class 2", Assert.Throws<ArgumentException>(() => ExplainableBoosting.Fit(x, y)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ExplainableBoosting.Fit(x.narrow(0, 0, 5), y.narrow(0, 0, 5)));
    }
}
