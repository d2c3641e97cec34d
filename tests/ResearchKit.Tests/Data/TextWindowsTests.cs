using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class TextWindowsTests
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 11).Select(i => (long)i)];

    [Fact]
    public void Each_target_is_the_token_after_its_input()
    {
        var windows = new TextWindows(Text, length: 3);
        Assert.Equal(3, windows.Count);   // 0-2, 3-5, 6-8; another window would lack its last target
        using var batch = windows.Fetch([2, 0]);
        Assert.Equal([6, 7, 8, 0, 1, 2], batch.Inputs.data<long>().ToArray());
        Assert.Equal([7, 8, 9, 1, 2, 3], batch.Targets.data<long>().ToArray());
        Assert.Equal([2, 3], batch.Inputs.shape);
    }

    [Theory]
    [InlineData(10, 1, 1)]
    [InlineData(3, 1, 8)]
    [InlineData(1, 1, 10)]
    [InlineData(3, 5, 2)]
    public void The_last_window_has_its_last_target(int length, int stride, int count)
    {
        var windows = new TextWindows(Text, length, stride);
        Assert.Equal(count, windows.Count);
        using var last = windows.Fetch([windows.Count - 1]);
        Assert.True(last.Targets.max().item<long>() <= 10);
    }

    [Fact]
    public void Inconsistent_lengths_are_refused_with_both_numbers()
    {
        var message = Assert.Throws<ArgumentException>(() => new TextWindows(Text, 11)).Message;
        Assert.Contains("11", message, StringComparison.Ordinal);
        Assert.Contains("12", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TextWindows(Text, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TextWindows(Text, 3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TextWindows(Text, 3).Fetch([3]));
        using var two = ones(2);
        using var three = ones(3);
        Assert.Contains("[3]", Assert.Throws<ArgumentException>(() => new TensorExamples(two, three)).Message,
            StringComparison.Ordinal);
    }
}
