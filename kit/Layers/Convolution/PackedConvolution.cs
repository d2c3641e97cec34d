using System.Runtime.Intrinsics.X86;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>relu(convolution(x) + b + added), with the batch norm folded into weight and bias.</summary>
/// <remarks>
/// In evaluation mode a batch norm is y = (x - mean) · w / √(variance + ε) + b. That is one factor and one
/// summand a channel, which can be folded into weight and bias of the convolution. Where oneDNN can be used,
/// its kernel also does the addition and the ReLU, and feature maps are channels-last in memory.
/// </remarks>
internal sealed class PackedConvolution : PackedWeight
{
    private static readonly TorchScript Script = new("PackedConvolution.py");

    private const int MostImageChannels = 4;

    private readonly Lock gate = new();
    private readonly Tensor? bias;   // [channels out]
    private readonly ConvolutionGeometry geometry;
    private readonly DeviceType device;
    private readonly bool isFused;
    private Tensor weight;           // [channels out, channels in / groups, kernel height, kernel width]
    // Whether the weight is in oneDNN's format, which depends on the input and is chosen at the first call.
    private volatile bool isLaid;
    private readonly long[] size;            // shape of the weight
    private readonly long inputs;            // input channels
    private readonly double products;   // multiplications for each element of the result

    /// <param name="weight">[channels out, channels in / groups, kernel height, kernel width].</param>
    /// <param name="bias">[channels out], or null.</param>
    /// <param name="norm">Batch norm after the convolution, in evaluation mode; null for none.</param>
    /// <param name="geometry">Stride, padding, dilation and groups.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    public PackedConvolution(Tensor weight, Tensor? bias, BatchNorm2d? norm, ConvolutionGeometry geometry, ScalarType dtype)
        : base(dtype)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        this.geometry = geometry;
        device = weight.device_type;
        size = weight.shape;
        inputs = weight.shape[1] * geometry.Groups;
        products = (double)weight.numel() / weight.shape[0];
        var (folded, foldedBias) = Fold(weight.detach(), bias?.detach(), norm);
        folded = folded.to(dtype, copy: true);
        // oneDNN needs AVX-512 for bfloat16
        isFused = device == DeviceType.CPU && OneDnnConvolution.IsUsed && (dtype == ScalarType.Float32 || Avx512BW.IsSupported);
        this.weight = Hold(folded.contiguous());
        this.bias = foldedBias is null ? null : Hold(foldedBias.to(dtype, copy: true));
    }

    public override string Kernel => isFused ? "oneDNN, fused, channels last" : "libtorch";

    /// <summary>
    /// Folds the batch norm into the convolution: returns the weight and bias of one convolution that equals both.
    /// </summary>
    /// <returns>Tensors of the dtype of <paramref name="weight"/>, computed in float64.</returns>
    public static (Tensor Weight, Tensor? Bias) Fold(Tensor weight, Tensor? bias, BatchNorm2d? norm)
    {
        if (norm is null) return (weight, bias);
        using var scope = NewDisposeScope();
        var mean = norm.running_mean!.to(float64);
        var variance = norm.running_var!.to(float64);
        var factor = (variance + norm.eps).rsqrt();
        if (norm.weight is { } scale) factor = factor * scale.detach().to(float64);
        var shift = ((bias is null ? 0 : bias.to(float64)) - mean) * factor;
        if (norm.bias is { } offset) shift = shift + offset.detach().to(float64);
        return ((weight.to(float64) * factor.view(-1, 1, 1, 1)).to(weight.dtype).MoveToOuterDisposeScope(),
            shift.to(weight.dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Computes relu(convolution(x) + bias + added).</summary>
    /// <param name="x">[batch, channels in, height, width].</param>
    /// <param name="added">Tensor to add, of the result's shape; null for none.</param>
    /// <param name="overwrites">Whether the result may overwrite <paramref name="added"/>.</param>
    /// <param name="relu">Whether to apply a ReLU.</param>
    /// <returns>[batch, channels out, height, width], of the packed dtype.</returns>
    /// <exception cref="ArgumentException">The shape is wrong, or an image has NaN or infinity, which the fused
    /// ReLU would turn into finite numbers.</exception>
    /// <exception cref="InvalidOperationException">A gradient is recorded, or the input is on another device than
    /// the weight.</exception>
    public Tensor Convolve(Tensor x, Tensor? added, bool overwrites, bool relu)
    {
        CheckGradient(x);
        if (x.dim() != 4 || x.shape[1] != inputs)
            throw new ArgumentException($"Got {x.ShapeText()}; the convolution expects [batch, {inputs}, height, width].",
            nameof(x));
        if (x.device_type != device)
            throw new InvalidOperationException($"The input is on {x.device}; the model was packed on {device}.");
        using var scope = NewDisposeScope();
        if (isFused && inputs <= MostImageChannels && !IsFinite(x))
            throw new ArgumentException($"The images {x.ShapeText()} hold NaN or infinity, which packed convolutions "
            + "do not propagate; use the original model.", nameof(x));
        if (x.dtype != DType) x = x.to(DType);
        var y = isFused ? Fused(x, added, overwrites, relu) : Plain(x, weight, added, relu);
        FlopTally.Add(y.numel() * products, ProductKind.Convolution);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Runs oneDNN's fused kernel, or libtorch's own kernels where oneDNN has none, such as for images of a few
    /// pixels.
    /// </summary>
    private Tensor Fused(Tensor x, Tensor? added, bool overwrites, bool relu)
    {
        if (x.numel() == 0) return Empty(x);
        var laid = LaidFor(x);
        try
        {
            return OneDnnConvolution.Convolve(x, laid, bias, geometry, added, overwrites, relu);
        }
        catch (InvalidOperationException)
        {
            return Plain(x, laid.to_dense(), added, relu);
        }
    }

    private static bool IsFinite(Tensor numbers)
    {
        using var scope = NewDisposeScope();
        return numbers.isfinite().all().item<bool>();
    }

    private Tensor Plain(Tensor x, Tensor weight, Tensor? added, bool relu)
    {
        var y = ConvolutionKernel.Convolve(x, weight, bias, geometry);
        if (added is not null) y = y.add_(added);
        return !relu ? y : y.IsMeta() ? MetaDevice.Relu(y) : y.relu_();
    }

    /// <summary>Returns the result for an empty batch.</summary>
    private Tensor Empty(Tensor x)
    {
        var (height, width) = geometry.ResultSize(x.shape, size);
        return zeros([x.shape[0], size[0], height, width], x.dtype, x.device);
    }

    private Tensor LaidFor(Tensor x)
    {
        if (isLaid) return weight;
        lock (gate)
        {
            if (isLaid) return weight;
            using var noGrad = no_grad();
            weight = Exchange(weight, (Tensor)Script.Call("pack", weight, geometry.Stride[0], geometry.Stride[1],
                geometry.Padding[0], geometry.Padding[1],
                geometry.Dilation[0], geometry.Dilation[1], (long)geometry.Groups, x));
            isLaid = true;
            return weight;
        }
    }
}
