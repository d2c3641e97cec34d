using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>x Wᵀ + b by a weight that was laid out once, for whichever kernels are fastest here.</summary>
internal sealed class PackedLinear : PackedWeight
{
    private readonly PackedLinearKernels kernels;
    private readonly Tensor? plain, blocked;   // [out, in], row by row and in oneDNN's format
    private readonly long inputs, outputs;
    private readonly DeviceType device;

    /// <param name="weight">[out, in], in any layout; is copied.</param>
    /// <param name="dtype">float32 or bfloat16.</param>
    public PackedLinear(Tensor weight, ScalarType dtype) : base(dtype)
    {
        (outputs, inputs) = weight.Axes2();
        device = weight.device_type;
        kernels = PackedLinearKernels.Fastest(dtype, device);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var own = weight.detach().to(dtype, copy: true).contiguous();
        blocked = kernels.All.Any(kernel => kernel.IsBlocked) && Native.OneDnnLinear.Pack(own) is { } packed ? Hold(packed) : null;
        if (blocked is null) kernels = PackedLinearKernels.Plain;
        if (kernels.All.Any(kernel => !kernel.IsBlocked)) plain = Hold(own);
    }

    public override string Kernel => string.Join(" and ", kernels.All.Select(kernel => kernel.Name).Distinct());

    /// <param name="x">float32 or bfloat16 [..., in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>float32 [..., out].</returns>
    /// <exception cref="InvalidOperationException">A gradient is recorded, or it lies on another device than the weight.</exception>
    public Tensor Multiply(Tensor x, Tensor? bias)
    {
        CheckGradient(x);
        if (x.device_type != device) throw new InvalidOperationException($"The input is on {x.device}; the model was packed on {device}.");
        var shape = x.shape;
        if (shape.Length == 0 || shape[^1] != inputs) throw new ArgumentException($"Got {x.ShapeText()}; expected {inputs} channels on the last axis.", nameof(x));
        var rows = x.numel() / inputs;
        ProductTally.Add((double)rows * inputs * outputs);
        if (rows == 0) return zeros([.. shape[..^1], outputs], ScalarType.Float32, x.device);
        var kernel = kernels.For(rows);
        var weight = (kernel.IsBlocked ? blocked : plain)!;
        if (DType == ScalarType.Float32 && x.dtype == ScalarType.Float32) return kernel.Multiply(x, weight, bias);
        using var scope = NewDisposeScope();
        var product = kernel.Multiply(x.to(DType), weight, null).to(ScalarType.Float32);
        return (bias is null ? product : product.add_(bias)).MoveToOuterDisposeScope();
    }
}
