using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class RelativePositionsTests
{
    [Theory]
    [InlineData(32, 128, true)]
    [InlineData(32, 128, false)]
    [InlineData(8, 20, true)]
    [InlineData(8, 20, false)]
    public void Buckets_equal_the_reference(int buckets, int maximumDistance, bool bidirectional)
    {
        using var scope = NewDisposeScope();
        using var golden = new GoldenCase("positional-a");
        golden.Check($"t5_bucket.nb{buckets}.md{maximumDistance}.{(bidirectional ? "bidirectional" : "causal")}",
            RelativePositions.Buckets(golden["t5_bucket.relative_position"], buckets, maximumDistance, bidirectional));
    }

    [Fact]
    public void The_last_query_is_at_the_position_of_the_last_key()
    {
        using var scope = NewDisposeScope();
        var distances = RelativePositions.Distances(2, 4, CPU);
        Assert.Equal([-2, -1, 0, 1, -3, -2, -1, 0], distances.data<long>().ToArray());
    }
}
