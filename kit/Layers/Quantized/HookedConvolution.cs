using System.Runtime.CompilerServices;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>TorchSharp's own two-dimensional convolution, quantized in place by hooks as <see cref="HookedLinear"/> is.</summary>
/// <param name="convolution">The layer.</param>
/// <param name="geometry">How its window moves.</param>
internal sealed class HookedConvolution(Conv2d convolution, ConvolutionGeometry geometry) : IQuantizableLayer
{
    private static readonly ConditionalWeakTable<Tensor, Tensor> Inputs = [];   // by the empty batch that stands for each

    public nn.Module Module => convolution;

    public LowRankAdapter? Adapter => null;

    /// <summary>How the window of a layer moves; null where it cannot be quantized.</summary>
    /// <remarks>Not in groups, and with zeros around the image, as many on each side.</remarks>
    public static ConvolutionGeometry? GeometryOf(Conv2d convolution)
    {
        if (convolution.groups != 1 || convolution.padding_mode != PaddingModes.Zeros) return null;
        var padding = convolution.padding;
        if (convolution.padding_type == Padding.Valid) padding = [0, 0];
        if (convolution.padding_type == Padding.Same)
        {
            var all = convolution.kernel_size.Zip(convolution.dilation, (size, dilation) => dilation * (size - 1)).ToArray();
            if (all.Any(length => length % 2 != 0)) return null;
            padding = [.. all.Select(length => length / 2)];
        }
        return padding is { Length: 2 } ? new ConvolutionGeometry(convolution.stride, padding, convolution.dilation, 1) : null;
    }

    public Tensor Matrix() => convolution.weight.view(convolution.weight.shape[0], -1);

    public Tensor Rows(Tensor x) => ConvolutionColumns.Of(x, geometry, convolution.kernel_size);

    public QuantizedWeight Made(QuantizedTensor codes, float? inputScale) =>
        new QuantizedConvolution(codes, inputScale, convolution.weight.shape, geometry) { Bias = convolution.bias };

    public void Hold(QuantizedWeight quantized)
    {
        var weight = (QuantizedConvolution)quantized;
        convolution.register_module(nameof(quantized), weight);
        Packing.Empty(convolution.weight);
        convolution.register_forward_pre_hook((_, x) =>
        {
            var shape = x.shape;
            var nothing = empty([0, .. shape[^Math.Min(3, shape.Length)..]], convolution.weight.dtype, convolution.weight.device);
            Inputs.Add(nothing, x);
            return nothing;
        });
        convolution.register_forward_hook((_, empty, nothing) =>
        {
            if (!Inputs.TryGetValue(empty, out var x))
                throw new InvalidOperationException(
                    "Another hook changed the input of a quantized layer; attach it to the layer's parent.");
            nothing.Dispose();
            empty.Dispose();
            if (x.dim() == 4) return weight.Convolve(x, null, overwrites: false, relu: false);
            using var batch = x.unsqueeze(0);
            using var y = weight.Convolve(batch, null, overwrites: false, relu: false);
            return y.squeeze(0);
        });
    }
}
