using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>x Wᵀ + b: a fully connected layer, a drop-in for <c>torch.nn.Linear</c>.</summary>
/// <remarks>
/// Parameter names, layouts and initialization are those of <c>torch.nn.Linear</c>. It exists beside
/// TorchSharp's layer because it uses the native kernel that is fastest on this machine
/// (<see cref="Native.Compute.Kernels"/>).
/// </remarks>
public sealed class Dense : Module<Tensor, Tensor>, IPackableLayer, IAdaptableLayer, IQuantizableLayer
{
    internal readonly Parameter weight;   // [out, in]
    internal readonly Parameter? bias;    // [out]
    private PackedMatrix? packed;         // set in a model that is packed for inference or quantized
    // in a packed model: whether the weight was concatenated with those of other layers
    private bool isJoined;
    private LowRankAdapter? adapter;
    private QuantizationScheme? trainingScheme;   // set while it is trained with rounded weights

    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="hasBias">Whether to add a bias to each output channel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of channels is below 1.</exception>
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
    /// <exception cref="ArgumentException">The input has another number of channels.</exception>
    public override Tensor forward(Tensor x) => Multiply(x, bias);

    void IPackableLayer.Pack(ScalarType dtype)
    {
        if (isJoined) return;
        packed = new PackedLinear(weight, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(weight);
    }

    nn.Module IQuantizableLayer.Module => this;

    PackedMatrix? IQuantizableLayer.Packed => packed;

    /// <summary>The product for steps of one row; null where it is not packed, or computed otherwise.</summary>
    internal StepProduct? Step() => StepProduct.Of(this, bias);

    LowRankAdapter? IQuantizableLayer.Adapter => adapter;

    Tensor IQuantizableLayer.Matrix() => weight.alias();

    void IQuantizableLayer.Hold(QuantizedWeight quantized)
    {
        packed = quantized;
        register_module(nameof(quantized), quantized);
        Packing.Empty(weight);
    }

    Parameter IAdaptableLayer.Stored => weight;

    bool IAdaptableLayer.IsTransposed => false;

    LowRankAdapter? IAdaptableLayer.Adapter => adapter;

    QuantizationScheme? IAdaptableLayer.TrainingScheme
    {
        get => trainingScheme;
        set => trainingScheme = value;
    }

    void IAdaptableLayer.Attach(LowRankAdapter added)
    {
        if (packed is not null || isJoined) throw Packing.Refusal("adapted");
        if (adapter is not null) throw new InvalidOperationException("The layer has an adapter already.");
        if (trainingScheme is not null)
            throw new InvalidOperationException("The layer is prepared for quantization-aware training; convert the model "
                + "first.");
        adapter = added;
        register_module(nameof(adapter), added);
    }

    /// <summary>Packs several layers with the same input as one layer, by concatenating their weights.</summary>
    /// <returns>The concatenated weights and biases; the biases are null if the layers have none.</returns>
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

    /// <summary>Computes x Wᵀ + b with the given bias, or without one.</summary>
    internal Tensor Multiply(Tensor x, Tensor? bias) => packed is not null ? packed.Multiply(x, bias)
        : isJoined ? throw new InvalidOperationException("This layer was packed together with others and cannot "
        + "run alone; use the original model.")
        : x.dim() > 0 && x.shape[^1] == weight.shape[1]
            ? adapter is null ? RoundedProduct.Of(x, weight, bias, trainingScheme) : adapter.Multiply(x, weight, bias)
        : throw new ArgumentException($"Got {x.ShapeText()}; expected {weight.shape[1]} channels on the last axis.", nameof(x));
}
