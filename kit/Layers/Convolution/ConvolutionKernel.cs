using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Two-dimensional convolution by a kernel of libtorch that gives correct results on this machine.
/// </summary>
/// <remarks>
/// If the self-check finds oneDNN's convolutions wrong (<see cref="Kernels"/>), the image is unfolded into
/// columns and multiplied by the weight (im2col), as libtorch does without oneDNN. Called through TorchScript
/// with a constant source.
/// </remarks>
internal static class ConvolutionKernel
{
    private static readonly TorchScript Script = new("ConvolutionKernel.py");

    /// <summary>Computes the convolution.</summary>
    /// <param name="x">[batch, channels in, height, width].</param>
    /// <param name="weight">[channels out, channels in / groups, kernel height, kernel width].</param>
    /// <param name="bias">[channels out], or null.</param>
    /// <param name="geometry">How the window moves.</param>
    /// <returns>[batch, channels out, height, width], in the dtype of <paramref name="x"/>, or in that of autocast
    /// if it is active and <paramref name="x"/> is not float64.</returns>
    public static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, ConvolutionGeometry geometry)
    {
        if (x.IsMeta()) return WithoutNumbers(x, weight, bias, geometry);
        if (BFloat16Emulation.FitsConvolution(x))
            return BFloat16Emulation.Of(x, weight, bias, (x, weight, bias) => Convolve(x, weight, bias, geometry));
        var exact = IsExact(x, weight);
        if (!exact && (x.device_type != DeviceType.CPU || !Kernels.Current.ConvolvesByColumns))
            return Libtorch(x, weight, bias, geometry);
        using var scope = NewDisposeScope();
        var type = x.dtype == ScalarType.Float64 ? x.dtype : Autocast.TypeOn(DeviceType.CPU) ?? x.dtype;
        // For float64, libtorch uses its own plain kernel, and autocast does not apply.
        var result = exact ? Libtorch(x.to(float64), weight.to(float64), bias?.to(float64), geometry).to(type)
            : ByColumns(x.to(type), weight.to(type), bias?.to(type), geometry);
        return result.MoveToOuterDisposeScope();
    }

    private static bool IsExact(Tensor x, Tensor weight) => Compute.ExactGradients && x.device_type == DeviceType.CPU
        && is_grad_enabled() && (x.requires_grad || weight.requires_grad);

    private static Tensor Libtorch(Tensor x, Tensor weight, Tensor? bias, ConvolutionGeometry geometry) =>
        nn.functional.conv2d(x, weight, bias, geometry.Stride, geometry.Padding, geometry.Dilation, geometry.Groups);

    /// <summary>Numbers that a convolution by columns keeps for the backward pass; 0 where the image itself is kept.</summary>
    internal static long KeptColumns(Tensor y, Tensor weight) => !Kernels.Current.ConvolvesByColumns ? 0
        : y.numel() / weight.shape[0] * (weight.numel() / weight.shape[0]);

    /// <inheritdoc cref="Convolve"/>
    internal static Tensor ByColumns(Tensor x, Tensor weight, Tensor? bias, ConvolutionGeometry geometry)
    {
        var stride = geometry.Stride;
        var padding = geometry.Padding;
        var dilation = geometry.Dilation;
        var sum = (Tensor)Script.Call("convolve", x, weight, stride[0], stride[1], padding[0], padding[1],
            dilation[0], dilation[1], (long)geometry.Groups);
        return bias is null ? sum : sum + bias.view(1, -1, 1, 1);
    }

    /// <summary>On the meta device: a tensor of the result's shape that depends on all three.</summary>
    private static Tensor WithoutNumbers(Tensor x, Tensor weight, Tensor? bias, ConvolutionGeometry geometry)
    {
        using var scope = NewDisposeScope();
        var mixed = weight.sum([1, 2, 3]).view(1, -1, 1, 1) * x.mean([1, 2, 3], keepdim: true);   // [batch, channels out, 1, 1]
        if (bias is not null) mixed += bias.view(1, -1, 1, 1);
        var (height, width) = geometry.ResultSize(x.shape, weight.shape);
        return MetaDevice.Spread(mixed, height, width).MoveToOuterDisposeScope();
    }
}
