using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// A frozen weight as codes of a few bits, which its layer multiplies by as float32 numbers made anew each time.
/// </summary>
/// <remarks>
/// Dettmers et al., 2023, https://arxiv.org/abs/2305.14314. The numbers are kept neither after the product nor for the backward
/// pass, which makes them once more.
/// </remarks>
internal sealed class FrozenCodes : nn.Module
{
    private StoredCodes codes, start;

    /// <param name="weight">Floating-point [out, in].</param>
    /// <param name="scheme">How codes are made.</param>
    public FrozenCodes(Tensor weight, QuantizationScheme scheme) : base(nameof(FrozenCodes))
    {
        codes = start = StoredCodes.Round(weight, scheme);
        RegisterComponents();
    }

    /// <summary>How the codes were made.</summary>
    public QuantizationScheme Scheme => codes.Scheme;

    /// <summary>Bytes of codes, scales and zero points.</summary>
    public long Bytes => codes.Bytes;

    /// <summary>The numbers that the codes stand for, float32 [out, in]; the caller disposes them.</summary>
    public Tensor Numbers() => codes.Numbers();

    /// <summary>Computes x Wᵀ + b.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="bias">[out], or null.</param>
    public Tensor Multiply(Tensor x, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        var product = is_grad_enabled() && x.requires_grad ? Function.apply(this, x) : Function.Product(this, x);
        return (bias is null ? product : product + bias.to(product.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>Rounds other numbers on the same grid, until <see cref="Restore"/>.</summary>
    /// <param name="numbers">float32 [out, in].</param>
    /// <returns>Norm of the rounding error over the norm of the numbers.</returns>
    public double Replace(Tensor numbers)
    {
        using var scope = NewDisposeScope();
        var rounded = StoredCodes.Round(numbers, Scheme);
        Restore();
        codes = rounded;
        return ((Numbers() - numbers).norm() / numbers.norm().clamp_(min: 1e-30)).item<float>();
    }

    /// <summary>Takes the first codes again.</summary>
    public void Restore()
    {
        if (!ReferenceEquals(codes, start)) codes.Dispose();
        codes = start;
    }

    /// <inheritdoc/>
    /// <remarks>Codes, scales and zero points are saved and loaded with the model.</remarks>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        destination ??= [];
        foreach (var (name, tensor) in codes.Tensors)
            destination.TryAdd(string.IsNullOrEmpty(prefix) ? name : $"{prefix}.{name}", tensor);
        return destination;
    }

    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Move(device);

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) =>
        Move(new Device(deviceType, deviceIndex));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Restore();
            start.Dispose();
        }
        base.Dispose(disposing);
    }

    private FrozenCodes Move(Device device)
    {
        var old = (codes, start);
        start = old.start.To(device);
        codes = ReferenceEquals(old.codes, old.start) ? start : old.codes.To(device);
        if (!ReferenceEquals(old.codes, old.start)) old.codes.Dispose();
        old.start.Dispose();
        return this;
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        private const string Weight = "weight", Type = "type";

        public override string Name => nameof(FrozenCodes);

        public static Tensor Product(FrozenCodes weight, Tensor x)
        {
            using var numbers = weight.Numbers();
            return LinearProduct.Of(x, numbers);
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (weight, x) = ((FrozenCodes)vars[0], (Tensor)vars[1]);
            ctx.save_data(Weight, weight);
            ctx.save_data(Type, x.dtype);
            return Product(weight, x);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var numbers = ((FrozenCodes)ctx.get_data(Weight)).Numbers();
            using var wide = grad_output.to(numbers.dtype);
            using var gradient = wide.matmul(numbers);
            return [null!, gradient.to((ScalarType)ctx.get_data(Type), copy: true)];
        }
    }
}
