using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Two-dimensional convolution: a drop-in for <c>torch.nn.Conv2d</c>.</summary>
/// <remarks>
/// Parameter names, layouts and initialization are those of <c>torch.nn.Conv2d</c>. It exists beside
/// TorchSharp's layer because that layer gives wrong results on some virtual machines; this one uses libtorch's
/// plain kernel there. With <see cref="Native.Compute.ExactGradients"/> it sums in float64 while gradients are
/// recorded.
/// </remarks>
public sealed class Convolution2d : Module<Tensor, Tensor>, IPackableLayer, IQuantizableLayer
{
    private readonly Parameter weight;   // [channels out, channels in / groups, kernel height, kernel width]
    private readonly Parameter? bias;    // [channels out]
    private readonly ConvolutionGeometry geometry;
    private readonly int inputs;

    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Kernel height and width.</param>
    /// <param name="stride">Stride, vertical and horizontal.</param>
    /// <param name="padding">Zero padding: rows above and below, columns left and right.</param>
    /// <param name="dilation">Distance between the elements of the kernel, vertical and horizontal.</param>
    /// <param name="groups">Number of channel groups that are convolved separately; must divide inputs and
    /// outputs.</param>
    /// <param name="hasBias">Whether to add a bias to each output channel.</param>
    /// <exception cref="ArgumentException">The groups do not divide the channels, or a size is below 1.</exception>
    public Convolution2d(int inputs, int outputs, (int Height, int Width) kernel, int stride = 1,
        (int Height, int Width) padding = default,
        int dilation = 1, int groups = 1, bool hasBias = true) : base(nameof(Convolution2d))
    {
        if (Math.Min(Math.Min(inputs, outputs), Math.Min(kernel.Height, kernel.Width)) < 1 || stride < 1 || dilation < 1
            || padding.Height < 0 || padding.Width < 0)
            throw new ArgumentException($"Got {inputs} input and {outputs} output channels, a kernel of "
            + $"{kernel.Height} × {kernel.Width}, stride {stride}, padding {padding.Height} × {padding.Width} "
            + $"and dilation {dilation}; the padding must be at least 0, all others at least 1.");
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
            throw new ArgumentException($"{inputs} input and {outputs} output channels are not divisible by "
            + $"{groups} groups.", nameof(groups));
        this.inputs = inputs;
        geometry = new ConvolutionGeometry([stride, stride], [padding.Height, padding.Width], [dilation, dilation], groups);
        weight = Parameter(init.kaiming_uniform_(empty(outputs, inputs / groups, kernel.Height, kernel.Width), Math.Sqrt(5)));
        var bound = 1 / Math.Sqrt(inputs / groups * kernel.Height * kernel.Width);
        bias = hasBias ? Parameter(init.uniform_(empty(outputs), -bound, bound)) : null;
        RegisterComponents();
    }

    /// <summary>Convolution with a square kernel.</summary>
    /// <inheritdoc cref="Convolution2d(int, int, ValueTuple{int, int}, int, ValueTuple{int, int}, int, int, bool)"/>
    public Convolution2d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int dilation = 1,
        int groups = 1, bool hasBias = true)
        : this(inputs, outputs, (kernel, kernel), stride, (padding, padding), dilation, groups, hasBias)
    {
    }

    internal Parameter Weight => weight;

    internal Parameter? Bias => bias;

    internal ConvolutionGeometry Geometry => geometry;

    /// <summary>
    /// The step that contains this convolution and the batch norm and ReLU that follow it in the model; null for
    /// none.
    /// </summary>
    internal ConvolutionStep? Step { get; set; }

    /// <summary>The packed weight, in a model that is packed for inference; else null.</summary>
    internal PackedConvolution? Packed { get; private set; }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        Packed = new PackedConvolution(weight, bias, Step?.Norm, geometry, dtype);
        register_module("packed", Packed);
        Packing.Empty(weight);
    }

    /// <summary>The weight as codes, in a quantized model; else null.</summary>
    internal QuantizedConvolution? Quantized { get; private set; }

    Module IQuantizableLayer.Module => this;

    LowRankAdapter? IQuantizableLayer.Adapter => null;

    bool IQuantizableLayer.IsOffered => geometry.Groups == 1;

    Tensor IQuantizableLayer.Matrix() => weight.view(weight.shape[0], -1);

    Tensor IQuantizableLayer.Rows(Tensor x) => ConvolutionColumns.Of(x, geometry, weight.shape[2..]);

    QuantizedWeight IQuantizableLayer.Made(QuantizedTensor codes, float? inputScale) =>
        new QuantizedConvolution(codes, inputScale, weight.shape, geometry) { Bias = bias, Norm = Step?.Norm };

    void IQuantizableLayer.Hold(QuantizedWeight quantized)
    {
        Quantized = (QuantizedConvolution)quantized;
        register_module(nameof(quantized), quantized);
        Packing.Empty(weight);
    }

    /// <param name="x">[batch, channels in, height, width].</param>
    /// <returns>[batch, channels out, height, width]; height and width depend on kernel, padding, dilation and
    /// stride.</returns>
    /// <exception cref="ArgumentException">The input does not have four axes, or has another number of
    /// channels.</exception>
    public override Tensor forward(Tensor x)
    {
        var (_, channels, _, _) = x.Axes4();
        if (channels != inputs)
            throw new ArgumentException($"Got {x.ShapeText()} of {channels} channels; the convolution expects {inputs}.",
            nameof(x));
        if (Packed is not null) return Packed.Convolve(x, null, overwrites: false, relu: false);
        if (Quantized is not null) return Quantized.Convolve(x, null, overwrites: false, relu: false);
        var y = ConvolutionKernel.Convolve(x, weight, bias, geometry);
        FlopTally.Add((double)y.numel() * weight.numel() / weight.shape[0], ProductKind.Convolution,
            LinearProduct.Gradients(x, weight));
        ActivationRules.Product(x, y, weight, bias, ConvolutionKernel.KeptColumns(y, weight));
        return y;
    }
}
