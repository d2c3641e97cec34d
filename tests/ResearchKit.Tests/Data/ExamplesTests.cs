using ResearchKit.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class ExamplesTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static TensorExamples Numbered(int count, int from = 0) =>
        new(arange(from, from + count, dtype: float32).unsqueeze(1), arange(from, from + count, dtype: int64) % 2);

    private static float[] Inputs(IExamples examples, params long[] numbers) =>
        examples.Fetch(numbers).Inputs.data<float>().ToArray();

    [Fact]
    public void Subset_Concat_Map_and_Filter_give_the_expected_examples()
    {
        var joined = Examples.Concat(Numbered(3), Numbered(2, from: 10));
        Assert.Equal(5, joined.Count);
        Assert.Equal([11f, 0, 1, 10], Inputs(joined, 4, 0, 1, 3));
        Assert.Equal([10f, 2, 2], Inputs(joined.Subset([3, 2, 2]), 0, 1, 2));
        Assert.Equal([20f, 22],
            Inputs(joined.Subset([3, 4]).Map((batch, _) => new Batch(batch.Inputs * 2, batch.Targets)), 0, 1));
        var even = joined.Filter(batch => batch.Targets.item<long>() == 0);
        Assert.Equal([0f, 2, 10], Inputs(even, 0, 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => joined.Subset([5]));
        Assert.Throws<ArgumentException>(() => Examples.Concat());
    }

    [Fact]
    public void Each_example_is_tested_in_exactly_one_fold()
    {
        var folds = Numbered(11).KFold(4);
        var tested = folds.SelectMany(fold =>
            Inputs(fold.Test, [.. Enumerable.Range(0, (int)fold.Test.Count).Select(i => (long)i)])).Order();
        Assert.Equal(Enumerable.Range(0, 11).Select(i => (float)i), tested);
        Assert.All(folds, fold => Assert.Equal(11, fold.Train.Count + fold.Test.Count));
        Assert.All(folds, fold =>
            Assert.Empty(Inputs(fold.Train, [.. Enumerable.Range(0, (int)fold.Train.Count).Select(i => (long)i)])
            .Intersect(Inputs(fold.Test, [.. Enumerable.Range(0, (int)fold.Test.Count).Select(i => (long)i)]))));
        Assert.Throws<ArgumentException>(() => Numbered(3).KFold(4));
    }

    [Fact]
    public void A_weighted_loader_samples_classes_in_proportion_to_their_weights()
    {
        var labels = cat([zeros([900], int64), ones([100], int64)]);
        var examples = new TensorExamples(zeros(1000, 1), labels);
        long Positives(BatchLoader loader) => loader.Batches().Take(40).Sum(batch => batch.Targets.sum().item<long>());
        var balanced = new BatchLoader(examples, 100, weights: Examples.BalancedWeights(labels));
        Assert.InRange(Positives(balanced), 1800, 2200);   // of 4,000 draws; six standard deviations
        Assert.Equal(400, Positives(new BatchLoader(examples, 100)));
        var never = new BatchLoader(examples, 100, weights: [.. Enumerable.Repeat(1.0, 900), .. Enumerable.Repeat(0.0, 100)]);
        Assert.Equal(0, Positives(never));
        Assert.Equal(Positives(new BatchLoader(examples, 100, 7, weights: Examples.BalancedWeights(labels))),
            Positives(new BatchLoader(examples, 100, 7, weights: Examples.BalancedWeights(labels))));
        Assert.Contains("2 weights for 1000 examples",
            Assert.Throws<ArgumentException>(() => new BatchLoader(examples, 1, weights: [1, 1])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new BatchLoader(examples, 1, weights: [.. Enumerable.Repeat(-1.0, 1000)]));
    }
}
