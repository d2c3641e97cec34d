using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tensors;

public sealed class AxesTests
{
    [Fact]
    public void Heads_split_and_merge_without_loss()
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 5, 12);
        Assert.Equal([2, 3, 5, 4], x.SplitHeads(3).shape);
        Near.Check("merged", x, x.SplitHeads(3).MergeHeads(), 0);
    }

    [Fact]
    public void The_error_names_a_wrong_shape()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[2, 5]", Assert.Throws<ArgumentException>(() => ones(2, 5).Axes3()).Message, StringComparison.Ordinal);
        Assert.Contains("[2, 5, 1]", Assert.Throws<ArgumentException>(() => ones(2, 5, 1).Axes2()).Message,
            StringComparison.Ordinal);
        Assert.Contains("5 heads", Assert.Throws<ArgumentException>(() => ones(2, 5, 12).SplitHeads(5)).Message,
            StringComparison.Ordinal);
    }
}
