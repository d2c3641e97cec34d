using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class BatchLoaderTests
{
    private static readonly IExamples Ten = new TextWindows([.. Enumerable.Range(0, 11).Select(i => (long)i)], length: 1);

    [Fact]
    public void Every_epoch_has_every_example_once_in_a_new_order()
    {
        var shown = Take(new BatchLoader(Ten, 2), 15);
        var epochs = shown.Chunk(10).ToList();
        Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i), epoch.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
    }

    [Fact]
    public void The_order_depends_only_on_the_seed()
    {
        Assert.Equal(Take(new BatchLoader(Ten, 3, seed: 5), 9), Take(new BatchLoader(Ten, 3, seed: 5, prefetch: 1), 9));
        Assert.NotEqual(Take(new BatchLoader(Ten, 3, seed: 5), 9), Take(new BatchLoader(Ten, 3, seed: 6), 9));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2], Take(new BatchLoader(Ten, 3, seed: null), 4));
        // The same on every platform and in every version: these numbers are part of what makes a run repeatable.
        Assert.Equal("0619325748", string.Concat(Take(new BatchLoader(Ten, 10, seed: 1337), 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void A_loader_resumes_from_a_saved_position(int taken)
    {
        var whole = Take(new BatchLoader(Ten, 3), 12);
        var first = new BatchLoader(Ten, 3);
        var before = Take(first, taken);
        var second = new BatchLoader(Ten, 3) { Position = first.Position };
        Assert.Equal(whole, before.Concat(Take(second, 12 - taken)));
    }

    [Fact]
    public void Breaking_out_of_the_loop_leaks_no_tensor()
    {
        Take(new BatchLoader(Ten, 3), 5);
        var before = LiveTensors.Settled();
        Take(new BatchLoader(Ten, 3), 5);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void An_error_in_the_prefetch_thread_reaches_the_caller() =>
        Assert.Equal("broken", Assert.Throws<InvalidDataException>(() => Take(new BatchLoader(new Broken(), 1), 1)).Message);

    [Fact]
    public void Fewer_examples_than_a_batch_are_refused() =>
        Assert.Contains("11", Assert.Throws<ArgumentException>(() => new BatchLoader(Ten, 11)).Message, StringComparison.Ordinal);

    private static List<long> Take(BatchLoader loader, int batches)
    {
        var shown = new List<long>();
        if (batches == 0) return shown;
        foreach (var batch in loader.Batches())
        {
            using (batch) shown.AddRange(batch.Inputs.data<long>().ToArray());
            if (--batches == 0) break;
        }
        return shown;
    }

    private sealed class Broken : IExamples
    {
        public long Count => 5;

        public Batch Fetch(IReadOnlyList<long> numbers) => throw new InvalidDataException("broken");
    }
}
