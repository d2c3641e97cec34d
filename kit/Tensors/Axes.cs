using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Reads the sizes of a tensor's axes, and checks their number.</summary>
public static class Axes
{
    /// <summary>Returns the shape as text, such as <c>[2, 3, 4]</c>.</summary>
    public static string ShapeText(this Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";

    /// <summary>Returns the sizes of a tensor with two axes.</summary>
    /// <exception cref="ArgumentException">The tensor does not have two axes.</exception>
    public static (long First, long Second) Axes2(this Tensor tensor, string expected = "two axes")
    {
        var shape = Shape(tensor, 2, expected);
        return (shape[0], shape[1]);
    }

    /// <summary>Returns the sizes of a tensor with three axes, such as [batch, time, channels].</summary>
    /// <exception cref="ArgumentException">The tensor does not have three axes.</exception>
    public static (long First, long Second, long Third) Axes3(this Tensor tensor, string expected = "[batch, time, channels]")
    {
        var shape = Shape(tensor, 3, expected);
        return (shape[0], shape[1], shape[2]);
    }

    /// <summary>Returns the sizes of a tensor with four axes, such as [batch, channels, height, width].</summary>
    /// <exception cref="ArgumentException">The tensor does not have four axes.</exception>
    public static (long First, long Second, long Third, long Fourth) Axes4(
        this Tensor tensor, string expected = "[batch, channels, height, width]")
    {
        var shape = Shape(tensor, 4, expected);
        return (shape[0], shape[1], shape[2], shape[3]);
    }

    /// <summary>
    /// Splits the last axis into heads: [batch, time, channels] to [batch, head, time, channels / heads].
    /// </summary>
    /// <exception cref="ArgumentException">The tensor does not have three axes, or <paramref name="heads"/> does
    /// not divide the channels.</exception>
    public static Tensor SplitHeads(this Tensor x, int heads)
    {
        var (batch, time, channels) = x.Axes3();
        if (channels % heads != 0)
            throw new ArgumentException($"{channels} channels are not divisible by {heads} heads.", nameof(x));
        return x.view(batch, time, heads, channels / heads).transpose(1, 2);
    }

    /// <summary>Merges the heads: [batch, head, time, d_head] to [batch, time, channels].</summary>
    public static Tensor MergeHeads(this Tensor x) => x.transpose(1, 2).flatten(2);

    private static long[] Shape(Tensor tensor, int axes, string expected)
    {
        var shape = tensor.shape;
        return shape.Length == axes ? shape
            : throw new ArgumentException($"Got a tensor of shape {tensor.ShapeText()}; expected {expected}.", nameof(tensor));
    }
}
