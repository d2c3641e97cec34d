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
    private bool isJoined;                // in a packed model: this weight was merged into that of another layer

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
        if (isJoined) return;
        packed = new PackedLinear(weight, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(weight);
    }

    /// <summary>Packs several layers that read the same input as one, which multiplies by all their weights at once.</summary>
    /// <returns>The weights below each other, and the biases; null where the layers have none.</returns>
    internal static (PackedLinear Weights, Tensor? Biases) Join(ScalarType dtype, params IReadOnlyList<Dense> layers)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weights = new PackedLinear(cat([.. layers.Select(layer => layer.weight)]), dtype);
        var biases = layers[0].bias is null ? null
            : cat([.. layers.Select(layer => layer.bias!)]).to(ScalarType.Float32).DetachFromDisposeScope();
        foreach (var layer in layers)
        {
            layer.isJoined = true;
            Packing.Empty(layer.weight);
        }
        return (weights, biases);
    }

    /// <summary>x Wᵀ with another bias, or none.</summary>
    internal Tensor Multiply(Tensor x, Tensor? bias) => packed is not null ? packed.Multiply(x, bias)
        : isJoined ? throw new InvalidOperationException(
            "This layer was packed together with its neighbours; use the original model.")
        : x.dim() > 0 && x.shape[^1] == weight.shape[1] ? LinearProduct.Of(x, weight, bias)
        : throw new ArgumentException($"Got {x.ShapeText()}; expected {weight.shape[1]} channels on the last axis.", nameof(x));
}
