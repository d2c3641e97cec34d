using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// x Wᵀ + b with a weight packed for the kernels that the self-check found fastest, for few rows and for many.
/// </summary>
internal sealed class PackedLinear : PackedMatrix
{
    private readonly Kernels kernels = Kernels.Current;   // fixed at packing, because the layouts depend on it
    private readonly Tensor? plain, blocked;              // [out, in], row-major and in oneDNN's blocked format
    private readonly long inputs, outputs;
    private readonly DeviceType device;

    /// <param name="weight">[out, in], of any strides; it is copied.</param>
    /// <param name="dtype">float32, or bfloat16, for which oneDNN is used whenever it is available.</param>
    public PackedLinear(Tensor weight, ScalarType dtype) : base(dtype)
    {
        (outputs, inputs) = weight.Axes2();
        device = weight.device_type;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var own = weight.detach().to(dtype, copy: true).contiguous();
        var isBFloat16 = dtype == ScalarType.BFloat16;
        if (device == DeviceType.CPU && (isBFloat16 || kernels.PacksForOneDnn) && OneDnnLinear.Pack(own) is { } packed)
            blocked = Hold(packed);
        if (blocked is null || (!isBFloat16 && !kernels.AlwaysPacksForOneDnn)) plain = Hold(own);
    }

    public override string Kernel => (blocked, plain) switch
    {
        (null, _) => "libtorch",
        (_, null) => "oneDNN, packed",
        _ => "oneDNN, packed, and libtorch",
    };

    public override Tensor Multiply(Tensor x, Tensor? bias)
    {
        CheckGradient(x);
        if (x.device_type != device)
            throw new InvalidOperationException($"The input is on {x.device}; the model was packed on {device}.");
        var shape = x.shape;
        if (shape.Length == 0 || shape[^1] != inputs)
            throw new ArgumentException($"Got {x.ShapeText()}; expected {inputs} channels on the last axis.", nameof(x));
        var rows = x.numel() / inputs;
        FlopTally.Add((double)rows * inputs * outputs, ProductKind.Linear);
        if (rows == 0) return zeros([.. shape[..^1], outputs], ScalarType.Float32, x.device);
        if (DType == ScalarType.Float32 && x.dtype == ScalarType.Float32) return Product(x, rows, bias);
        using var scope = NewDisposeScope();
        var product = Product(x.to(DType), rows, null).to(ScalarType.Float32);
        return (bias is null ? product : product.add_(bias)).MoveToOuterDisposeScope();
    }

    public override RowWeight? ForOneRow() =>
        device != DeviceType.CPU || DType != ScalarType.Float32 || !kernels.WritesTokens ? null
        : plain is null || (blocked is not null && kernels.MultipliesPackedByOneDnn(1))
            ? PanelRowWeight.Of(blocked!, (int)outputs, (int)inputs) : new PlainRowWeight(plain);

    private Tensor Product(Tensor x, long rows, Tensor? bias)
    {
        if (plain is null || (blocked is not null && kernels.MultipliesPackedByOneDnn(rows)))
            return OneDnnLinear.MultiplyPacked(x, blocked!, bias);
        // the result's dtype must not depend on the kernel
        using var pause = Autocast.TypeOn(device) is null ? null : Autocast.Pause(device);
        return nn.functional.linear(x, plain, bias);
    }
}
