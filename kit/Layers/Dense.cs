using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>x Wᵀ + b, a fully-connected layer.</summary>
/// <remarks>
/// Parameter names, layouts and first values are those of <c>torch.nn.Linear</c>. It exists beside TorchSharp's layer because it
/// multiplies by whichever of libtorch's kernels is faster on this machine (<see cref="Native.Compute.Kernels"/>).
/// </remarks>
public sealed class Dense : Module<Tensor, Tensor>, IPackableLayer
{
    internal readonly Parameter weight;   // [out, in]
    internal readonly Parameter? bias;    // [out]
    private PackedLinear? packed;         // in a model that is packed for inference

    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="hasBias">Add a number to each output channel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of channels below 1.</exception>
    public Dense(long inputs, long outputs, bool hasBias = true) : base(nameof(Dense))
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        weight = Parameter(init.kaiming_uniform_(empty(outputs, inputs), Math.Sqrt(5)));
        var bound = 1 / Math.Sqrt(inputs);
        bias = hasBias ? Parameter(init.uniform_(empty(outputs), -bound, bound)) : null;
        RegisterComponents();
    }

    /// <param name="x">[..., in].</param>
    /// <returns>[..., out].</returns>
    /// <exception cref="ArgumentException">Another number of channels.</exception>
    public override Tensor forward(Tensor x) => Multiply(x, bias);

    void IPackableLayer.Pack(ScalarType dtype)
    {
        packed = new PackedLinear(weight, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(weight);
    }

    /// <summary>x Wᵀ with another bias, or none.</summary>
    internal Tensor Multiply(Tensor x, Tensor? bias) => packed is not null ? packed.Multiply(x, bias)
        : x.dim() > 0 && x.shape[^1] == weight.shape[1] ? LinearProduct.Of(x, weight, bias)
        : throw new ArgumentException($"Got {x.ShapeText()}; expected {weight.shape[1]} channels on the last axis.", nameof(x));
}
