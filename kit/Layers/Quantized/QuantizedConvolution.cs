using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>The weight of a convolution as codes: relu(norm(convolution(x) + b) + added) by the fastest kernel.</summary>
/// <remarks>
/// Either images are unfolded and multiplied as whole numbers, or, where that is not faster on this machine, the float32 numbers
/// of the codes are packed once more and convolved. Inputs of 8 bits have one scale for each image, or a fixed one.
/// </remarks>
internal sealed class QuantizedConvolution : QuantizedWeight
{
    private const long ColumnsAtOnce = 1 << 22;   // numbers of the unfolded images, 16 MB

    private readonly Lock gate = new();
    private readonly ConvolutionGeometry geometry;
    private readonly long[] size;               // [channels out, channels in, kernel height, kernel width]
    private PackedConvolution? plain;           // the numbers of the codes, where they are convolved
    private Tensor? factor, shift;              // float32 [channels out]: norm and bias after the integer product

    /// <param name="weight">[channels out, window] as codes; the caller keeps it.</param>
    /// <param name="inputScale">Scale of all inputs, for static 8-bit inputs; else null.</param>
    /// <param name="size">Shape of the weight, four axes.</param>
    /// <param name="geometry">How the window moves; without groups.</param>
    public QuantizedConvolution(QuantizedTensor weight, float? inputScale, long[] size, ConvolutionGeometry geometry)
        : base(weight, inputScale)
    {
        this.size = size;
        this.geometry = geometry;
    }

    /// <summary>The bias, [channels out], read at the first call; null for none.</summary>
    public Tensor? Bias { get; init; }

    /// <summary>Batch norm after the convolution, read at the first call; null for none.</summary>
    public BatchNorm2d? Norm { get; init; }

    /// <summary>Which way it is computed; null to take the faster one.</summary>
    public bool? TakesIntegers { get; init; }

    public override string Kernel => RefusalOfIntegers is { } reason
        ? $"{Scheme} · float32 convolution of the dequantized weight: {reason}"
        : $"{Scheme} · {ConvolutionGains.Of(Storage!.Value, IsEightBits).Described(IsOne)}";

    public override long Bytes => base.Bytes + (plain?.Bytes ?? 0);

    private bool IsOne => size is [_, _, 1, 1];

    /// <summary>Computes relu(norm(convolution(x) + bias) + added).</summary>
    /// <inheritdoc cref="PackedConvolution.Convolve"/>
    /// <returns>float32 [batch, channels out, height, width].</returns>
    public Tensor Convolve(Tensor x, Tensor? added, bool overwrites, bool relu)
    {
        CheckGradient(x);
        if (x.dim() != 4 || x.shape[1] != size[1])
            throw new ArgumentException($"Got {x.ShapeText()}; the convolution expects [batch, {size[1]}, height, width].",
                nameof(x));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        x = x.to(ScalarType.Float32);
        if (x.numel() == 0 || !MultipliesIntegers(x))
            return Plain().Convolve(Rounded(x), added, overwrites, relu).MoveToOuterDisposeScope();
        var y = Integers(x);
        FlopTally.Add((double)y.numel() * Inputs, ProductKind.Convolution);
        if (added is not null) y = y.add_(added);
        return (relu ? y.relu_() : y).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            plain?.Dispose();
            factor?.Dispose();
            shift?.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool MultipliesIntegers(Tensor x)
    {
        if (TakesIntegers is { } fixedChoice) return fixedChoice;
        if (Storage is not { } storage || x.device_type != DeviceType.CPU) return false;
        var (height, width) = geometry.ResultSize(x.shape, size);
        return ConvolutionGains.Of(storage, IsEightBits).Multiplies(IsOne, height * width);
    }

    /// <summary>Unfolds some images at a time, and multiplies them by the codes.</summary>
    private Tensor Integers(Tensor x)
    {
        var (height, width) = geometry.ResultSize(x.shape, size);
        var images = x.shape[0];
        var steps = IsEightBits && InputScale is null ? Steps(x) : null;
        if (steps is not null) x = x / steps;
        var given = IsEightBits ? InputScale ?? 1 : 0;
        var y = empty([images, height * width, Outputs], ScalarType.Float32);
        var count = Math.Max(1, ColumnsAtOnce / (Inputs * height * width));
        for (var start = 0L; start < images; start += count)
        {
            using var scope = NewDisposeScope();
            var part = x.narrow(0, start, Math.Min(count, images - start));
            var product = Product(ConvolutionColumns.Of(part, geometry, size[2..]), null, given);
            y.narrow(0, start, part.shape[0]).copy_(product.view(part.shape[0], -1, Outputs));
        }
        if (steps is not null) y.mul_(steps.view(-1, 1, 1));
        Finish(y);
        return y.view(images, height, width, Outputs).permute(0, 3, 1, 2);
    }

    /// <summary>Bias and batch norm, on [..., channels out].</summary>
    private void Finish(Tensor y)
    {
        if (Bias is null && Norm is null) return;
        lock (gate)
            if (shift is null)
            {
                using var scope = NewDisposeScope();
                using var one = ones([Outputs, 1, 1, 1], device: y.device);
                var (folded, added) = PackedConvolution.Fold(one, Bias?.detach().to(ScalarType.Float32), Norm);
                if (Norm is not null) factor = folded.flatten().clone().DetachFromDisposeScope();
                shift = added!.clone().DetachFromDisposeScope();
            }
        if (factor is not null) y.mul_(factor);
        y.add_(shift!);
    }

    private PackedConvolution Plain()
    {
        lock (gate)
        {
            if (plain is not null) return plain;
            using var numbers = Dequantize();
            using var weight = numbers.view(size);
            return plain = new PackedConvolution(weight, Bias?.detach(), Norm, geometry, ScalarType.Float32);
        }
    }

    private Tensor Rounded(Tensor x)
    {
        if (!IsEightBits) return x;
        var scale = InputScale is { } given ? tensor(given, device: x.device) : x.numel() == 0 ? ones(1) : Steps(x);
        return (x / scale).round_().clamp_(-sbyte.MaxValue, sbyte.MaxValue).mul_(scale);
    }

    /// <summary>The scale of each image, [batch, 1, 1, 1].</summary>
    private static Tensor Steps(Tensor x) => (x.abs().amax([1, 2, 3], keepdim: true) / sbyte.MaxValue).clamp_(min: float.Epsilon);
}
