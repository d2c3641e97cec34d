using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Unfolds images into the numbers that the window of a convolution sees at each position (im2col).</summary>
internal static class ConvolutionColumns
{
    /// <summary>The windows as rows, of which the weight as a matrix makes the results.</summary>
    /// <param name="x">[batch, channels in, height, width], or without the batch.</param>
    /// <param name="geometry">How the window moves; without groups.</param>
    /// <param name="kernel">Height and width of the window.</param>
    /// <returns>[batch · positions, channels in · kernel height · kernel width], contiguous.</returns>
    public static Tensor Of(Tensor x, ConvolutionGeometry geometry, long[] kernel)
    {
        using var scope = NewDisposeScope();
        if (x.dim() == 3) x = x.unsqueeze(0);
        var channels = x.shape[1];
        if (kernel is [1, 1] && geometry.Stride is [1, 1] && geometry.Padding is [0, 0])
            return x.permute(0, 2, 3, 1).reshape(-1, channels).contiguous().MoveToOuterDisposeScope();
        var columns = nn.functional.unfold(x, (kernel[0], kernel[1]), (geometry.Dilation[0], geometry.Dilation[1]),
            (geometry.Padding[0], geometry.Padding[1]), (geometry.Stride[0], geometry.Stride[1]));   // [batch, window, positions]
        return columns.transpose(1, 2).reshape(-1, columns.shape[1]).contiguous().MoveToOuterDisposeScope();
    }
}
