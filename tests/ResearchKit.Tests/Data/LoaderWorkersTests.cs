using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

/// <summary>Workers, draws, and orders of batches other than a plain shuffle.</summary>
public sealed class LoaderWorkersTests
{
    /// <summary>An example is its number and its draw.</summary>
    private sealed class Drawn(long count) : IExamples
    {
        public long Count => count;

        public Batch Fetch(IReadOnlyList<long> numbers) => Fetch(numbers, numbers);

        public Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws)
        {
            Thread.Sleep((int)(numbers[0] % 3));   // so that workers overtake each other
            return new Batch(tensor(numbers.ToArray()), tensor(draws.ToArray()));
        }
    }

    private static List<(long Number, long Draw)> Take(BatchLoader loader, int batches)
    {
        var seen = new List<(long, long)>();
        foreach (var batch in loader.Batches().Take(batches))
            using (batch) seen.AddRange(batch.Inputs.data<long>().ToArray().Zip(batch.Targets.data<long>().ToArray()));
        return seen;
    }

    [Fact]
    public void The_number_of_workers_changes_neither_the_order_nor_the_draws()
    {
        var alone = Take(new BatchLoader(new Drawn(20), 3), 15);
        Assert.Equal(alone, Take(new BatchLoader(new Drawn(20), 3, workers: 4, prefetch: 2), 15));
        Assert.Equal(alone.Count, alone.Select(one => one.Draw).Distinct().Count());
        Assert.Equal(20, alone[18].Draw);   // the second epoch begins after the 20 examples of the first
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(11)]
    public void A_resumed_loader_draws_as_if_it_had_never_stopped(int taken)
    {
        var whole = Take(new BatchLoader(new Drawn(20), 3), 15);
        var first = new BatchLoader(new Drawn(20), 3, workers: 3);
        var before = Take(first, taken);
        var second = new BatchLoader(new Drawn(20), 3, workers: 2) { Position = first.Position };
        Assert.Equal(whole, before.Concat(Take(second, 15 - taken)));
    }

    [Fact]
    public void Draws_reach_the_source_through_subset_concat_and_map()
    {
        var source = new Drawn(10);
        var wrapped = Examples.Concat(source.Subset([9, 8, 7]), source).Map((batch, _) => batch);
        using var batch = wrapped.Fetch([0, 4, 1], [100, 101, 102]);
        Assert.Equal([9L, 1, 8], batch.Inputs.data<long>().ToArray());
        Assert.Equal([100L, 101, 102], batch.Targets.data<long>().ToArray());
    }

    [Fact]
    public void Leaving_early_leaves_no_tensor_behind_with_workers()
    {
        Take(new BatchLoader(new Drawn(20), 3, workers: 3), 3);
        var before = LiveTensors.Settled();
        Take(new BatchLoader(new Drawn(20), 3, workers: 3), 3);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Buckets_hold_examples_of_similar_length_and_each_once()
    {
        var lengths = Enumerable.Range(0, 500).Select(i => 1 + (i * 37 % 100)).ToList();
        var order = LengthBuckets.OfSize(lengths, 8, seed: 2);
        var batches = order.Batches(0).ToList();
        Assert.Equal((62, 62), (batches.Count, (int)order.Count(0)));
        Assert.Equal(496, batches.SelectMany(batch => batch).Distinct().Count());
        Assert.All(batches, batch => Assert.InRange(batch.Max(i => lengths[(int)i]) - batch.Min(i => lengths[(int)i]), 0, 8));
        Assert.NotEqual(batches, order.Batches(1));
        Assert.Equal(batches, LengthBuckets.OfSize(lengths, 8, seed: 2).Batches(0));
    }

    [Fact]
    public void A_token_budget_is_kept_and_no_example_is_left_out()
    {
        var lengths = Enumerable.Range(0, 300).Select(i => 1 + (i * 31 % 60)).ToList();
        var order = LengthBuckets.OfTokens(lengths, tokens: 128);
        var batches = order.Batches(3).ToList();
        Assert.All(batches, batch => Assert.InRange(batch.Count * batch.Max(i => lengths[(int)i]), 1, 128));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => (long)i), batches.SelectMany(batch => batch).Order());
        Assert.Equal(order.Count(3), batches.Count);
        Assert.Contains("Example 1 has 32 tokens",
            Assert.Throws<ArgumentException>(() => LengthBuckets.OfTokens(lengths, 20)).Message, StringComparison.Ordinal);
        var whole = Take(new BatchLoader(new Drawn(300), order), 120);
        var first = new BatchLoader(new Drawn(300), order, workers: 2);
        var before = Take(first, 50);
        var again = new BatchLoader(new Drawn(300), LengthBuckets.OfTokens(lengths, 128)) { Position = first.Position };
        Assert.Equal(whole, before.Concat(Take(again, 70)));
    }

    [Fact]
    public void Two_shares_of_an_order_together_are_the_whole()
    {
        var order = LengthBuckets.OfSize([.. Enumerable.Range(1, 40)], 4);
        var shares = Enumerable.Range(0, 2).Select(share => Take(new BatchLoader(new Drawn(40), order, share: share, shares: 2),
            5));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), shares.SelectMany(share => share).Select(one => one.Number)
            .Order());
    }

    [Fact]
    public void A_shuffle_buffer_gives_each_example_once_and_stays_near_the_part_that_is_read()
    {
        var order = new ShuffleBuffer([100, 50, 150], batchSize: 10, size: 20);
        var numbers = order.Batches(0).SelectMany(batch => batch).ToList();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => (long)i), numbers.Order());
        Assert.NotEqual(numbers, order.Batches(1).SelectMany(batch => batch));
        int Part(long number) => number < 100 ? 0 : number < 150 ? 1 : 2;
        Assert.InRange(numbers.Take(30).Select(Part).Distinct().Count(), 1, 1);   // the buffer reaches at most 50 examples
        Assert.NotEqual(numbers.Take(30).Order(), numbers.Take(30));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => (long)i), new ShuffleBuffer([6], 2, size: 1).Batches(0)
            .SelectMany(batch => batch));
        Assert.Throws<ArgumentException>(() => new ShuffleBuffer([3], 4));
    }
}
