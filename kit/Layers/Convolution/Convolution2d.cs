using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A window that slides over a picture: each output is a weighted sum of what lies under it.</summary>
/// <remarks>
/// Parameter names, layouts and first values are those of <c>torch.nn.Conv2d</c>. It exists beside TorchSharp's layer because
/// that one's numbers are wrong on some virtual machines; this one keeps to libtorch's plain kernel there. With
/// <see cref="Native.Compute.ExactGradients"/> it sums in float64 where gradients are recorded.
/// </remarks>
public sealed class Convolution2d : Module<Tensor, Tensor>, IPackableLayer
{
    private readonly Parameter weight;   // [channels out, channels in / groups, kernel height, kernel width]
    private readonly Parameter? bias;    // [channels out]
    private readonly ConvolutionGeometry geometry;
    private readonly int inputs;

    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="kernel">Height and width of the window.</param>
    /// <param name="stride">Steps between windows, down and across.</param>
    /// <param name="padding">Rows of zeros above and below, and columns left and right.</param>
    /// <param name="dilation">Steps between the points of a window, down and across.</param>
    /// <param name="groups">Parts of the channels that are convolved apart; divides inputs and outputs.</param>
    /// <param name="hasBias">Add a number to each output channel.</param>
    /// <exception cref="ArgumentException">Groups that do not divide the channels, or a size below 1.</exception>
    public Convolution2d(int inputs, int outputs, (int Height, int Width) kernel, int stride = 1,
        (int Height, int Width) padding = default,
        int dilation = 1, int groups = 1, bool hasBias = true) : base(nameof(Convolution2d))
    {
        if (Math.Min(Math.Min(inputs, outputs), Math.Min(kernel.Height, kernel.Width)) < 1 || stride < 1 || dilation < 1
            || padding.Height < 0 || padding.Width < 0)
            throw new ArgumentException(
                $"Got {inputs} channels to {outputs}, a window of {kernel.Height} × {kernel.Width}, stride {stride}, "
                + $"padding {padding.Height} × {padding.Width} and dilation {dilation}; all must be at least 1, the padding 0.");
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
            throw new ArgumentException($"{inputs} channels in and {outputs} out cannot be divided into {groups} groups.",
                nameof(groups));
        this.inputs = inputs;
        geometry = new ConvolutionGeometry([stride, stride], [padding.Height, padding.Width], [dilation, dilation], groups);
        weight = Parameter(init.kaiming_uniform_(empty(outputs, inputs / groups, kernel.Height, kernel.Width), Math.Sqrt(5)));
        var bound = 1 / Math.Sqrt(inputs / groups * kernel.Height * kernel.Width);
        bias = hasBias ? Parameter(init.uniform_(empty(outputs), -bound, bound)) : null;
        RegisterComponents();
    }

    /// <summary>A square window.</summary>
    /// <inheritdoc cref="Convolution2d(int, int, ValueTuple{int, int}, int, ValueTuple{int, int}, int, int, bool)"/>
    public Convolution2d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int dilation = 1,
        int groups = 1, bool hasBias = true)
        : this(inputs, outputs, (kernel, kernel), stride, (padding, padding), dilation, groups, hasBias)
    {
    }

    internal Parameter Weight => weight;

    internal Parameter? Bias => bias;

    /// <summary>What follows it in its model; null for nothing.</summary>
    internal ConvolutionStep? Step { get; set; }

    /// <summary>What it computes with in a model that is packed for inference.</summary>
    internal PackedConvolution? Packed { get; private set; }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        Packed = new PackedConvolution(weight, bias, Step?.Norm, geometry, dtype);
        register_module("packed", Packed);
        Packing.Empty(weight);
    }

    /// <param name="x">[batch, channels in, height, width].</param>
    /// <returns>[batch, channels out, height, width], fewer by what padding, dilation and stride leave out.</returns>
    /// <exception cref="ArgumentException">Not four axes, or another number of channels.</exception>
    public override Tensor forward(Tensor x)
    {
        var (_, channels, _, _) = x.Axes4();
        if (channels != inputs)
            throw new ArgumentException($"Got {x.ShapeText()} of {channels} channels; the convolution has {inputs}.", nameof(x));
        if (Packed is not null) return Packed.Convolve(x, null, overwrites: false, relu: false);
        var y = ConvolutionKernel.Convolve(x, weight, bias, geometry);
        FlopTally.Add((double)y.numel() * weight.numel() / weight.shape[0]);
        return y;
    }
}
