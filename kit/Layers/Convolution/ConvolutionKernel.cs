using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>The convolution of two axes, by whichever kernel of libtorch can be trusted on this machine.</summary>
/// <remarks>
/// Where the self-check finds oneDNN's convolutions wrong (<see cref="Kernels"/>), each window is laid out as a column
/// and multiplied (im2col), which is what libtorch itself does without oneDNN. Reached through TorchScript, whose source is fixed.
/// </remarks>
internal static class ConvolutionKernel
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def convolve(x, weight, stride_down: int, stride_across: int, pad_down: int, pad_across: int, dilation_down: int, dilation_across: int, groups: int):
            kernel = [weight.size(2), weight.size(3)]
            stride = [stride_down, stride_across]
            padding = [pad_down, pad_across]
            dilation = [dilation_down, dilation_across]
            inputs = x.chunk(groups, 1)
            weights = weight.chunk(groups, 0)
            parts: List[Tensor] = []
            for group in range(groups):
                if dilation_down == 1 and dilation_across == 1:
                    parts.append(torch.thnn_conv2d(inputs[group], weights[group], kernel, None, stride, padding))
                else:
                    height = (x.size(2) + 2 * pad_down - dilation_down * (kernel[0] - 1) - 1) // stride_down + 1
                    columns = torch.im2col(inputs[group], kernel, dilation, padding, stride)
                    parts.append(torch.matmul(weights[group].flatten(1), columns).unflatten(2, [height, -1]))
            if groups == 1:
                return parts[0]
            return torch.cat(parts, 1)

        """));

    /// <param name="x">[batch, channels in, height, width].</param>
    /// <param name="weight">[channels out, channels in / groups, kernel height, kernel width].</param>
    /// <param name="bias">[channels out], or null.</param>
    /// <param name="stride">Steps between windows, down and across.</param>
    /// <param name="padding">Zeros on each side, down and across.</param>
    /// <param name="dilation">Steps between the points of a window, down and across.</param>
    /// <param name="groups">Parts of the channels that are convolved apart.</param>
    /// <returns>[batch, channels out, height, width], in the type of <paramref name="x"/>; under autocast in autocast's type.</returns>
    public static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, int groups)
    {
        if (x.IsMeta()) return Shape(x, weight, bias, stride, padding, dilation);
        if (BFloat16Emulation.FitsConvolution(x))
            return BFloat16Emulation.Of(x, weight, bias, (x, weight, bias) => Convolve(x, weight, bias, stride, padding, dilation, groups));
        var exact = IsExact(x, weight);
        if (!exact && (x.device_type != DeviceType.CPU || !Kernels.Current.ConvolvesByColumns))
            return nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups);
        using var scope = NewDisposeScope();
        var type = x.dtype == ScalarType.Float64 ? x.dtype : Autocast.TypeOn(DeviceType.CPU) ?? x.dtype;
        // libtorch convolves float64 by its own plain kernel, and autocast leaves it as it is.
        var result = exact ? nn.functional.conv2d(x.to(float64), weight.to(float64), bias?.to(float64), stride, padding, dilation, groups).to(type)
            : ByColumns(x.to(type), weight.to(type), bias?.to(type), stride, padding, dilation, groups);
        return result.MoveToOuterDisposeScope();
    }

    private static bool IsExact(Tensor x, Tensor weight) => Compute.ExactGradients && x.device_type == DeviceType.CPU
        && is_grad_enabled() && (x.requires_grad || weight.requires_grad);

    /// <inheritdoc cref="Convolve"/>
    internal static Tensor ByColumns(Tensor x, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, int groups)
    {
        var sum = (Tensor)Script.Value.Call("convolve", x, weight, stride[0], stride[1], padding[0], padding[1], dilation[0], dilation[1], (long)groups);
        return bias is null ? sum : sum + bias.view(1, -1, 1, 1);
    }

    private static Tensor Shape(Tensor x, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation)
    {
        using var scope = NewDisposeScope();
        long Length(int axis) => ((x.shape[axis + 2] + (2 * padding[axis]) - (dilation[axis] * (weight.shape[axis + 2] - 1)) - 1) / stride[axis]) + 1;
        var mixed = weight.sum([1, 2, 3]).view(1, -1, 1, 1) * x.mean([1, 2, 3], keepdim: true);   // [batch, channels out, 1, 1]
        if (bias is not null) mixed += bias.view(1, -1, 1, 1);
        return MetaDevice.Spread(mixed, Length(0), Length(1)).MoveToOuterDisposeScope();
    }
}
