using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>x W + b: a linear layer whose weight is stored as [in, out].</summary>
/// <remarks>Name and layout are those of the published GPT-2; it is not a convolution.</remarks>
public sealed class Conv1D : Module<Tensor, Tensor>, IPackableLayer, IAdaptableLayer, IQuantizableLayer
{
    private readonly Parameter weight;   // [in, out]
    private readonly Parameter bias;     // [out]
    private PackedMatrix? packed;        // set in a model that is packed for inference or quantized
    private LowRankAdapter? adapter;
    private QuantizationScheme? trainingScheme;   // set while it is trained with rounded weights

    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="deviation">Standard deviation of the initial weight; the bias starts at zero.</param>
    public Conv1D(int inputs, int outputs, double deviation = 0.02) : base(nameof(Conv1D))
    {
        weight = Parameter(init.normal_(empty(inputs, outputs), 0, deviation));
        bias = Parameter(zeros(outputs));
        RegisterComponents();
    }

    /// <param name="x">[..., in].</param>
    /// <returns>[..., out].</returns>
    public override Tensor forward(Tensor x)
    {
        if (packed is not null) return packed.Multiply(x, bias);
        var shape = x.shape;
        if (shape.Length == 0 || shape[^1] != weight.shape[0])
            throw new ArgumentException($"Got {x.ShapeText()}; expected {weight.shape[0]} channels on the last axis.", nameof(x));
        using var scope = NewDisposeScope();
        var matrix = weight.t();
        ActivationTape.Same(weight, matrix);
        return (adapter is null ? RoundedProduct.Of(x, matrix, bias, trainingScheme) : adapter.Multiply(x, matrix, bias))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Some of the outputs alone: [..., count] from the output <paramref name="start"/> on.</summary>
    internal Tensor Part(Tensor x, long start, long count)
    {
        using var scope = NewDisposeScope();
        if (packed is not null || adapter is not null) return call(x).narrow(-1, start, count).MoveToOuterDisposeScope();
        return LinearProduct.Of(x, weight.narrow(1, start, count).t(), bias.narrow(0, start, count)).MoveToOuterDisposeScope();
    }

    nn.Module IQuantizableLayer.Module => this;

    PackedMatrix? IQuantizableLayer.Packed => packed;

    /// <summary>The product for steps of one row; null where it is not packed, or computed otherwise.</summary>
    internal StepProduct? Step() => StepProduct.Of(this, bias);

    LowRankAdapter? IQuantizableLayer.Adapter => adapter;

    Tensor IQuantizableLayer.Matrix() => weight.t();

    void IQuantizableLayer.Hold(QuantizedWeight quantized)
    {
        packed = quantized;
        register_module(nameof(quantized), quantized);
        Packing.Empty(weight);
    }

    Parameter IAdaptableLayer.Stored => weight;

    bool IAdaptableLayer.IsTransposed => true;

    LowRankAdapter? IAdaptableLayer.Adapter => adapter;

    QuantizationScheme? IAdaptableLayer.TrainingScheme
    {
        get => trainingScheme;
        set => trainingScheme = value;
    }

    void IAdaptableLayer.Attach(LowRankAdapter added)
    {
        if (packed is not null) throw Packing.Refusal("adapted");
        if (adapter is not null) throw new InvalidOperationException("The layer has an adapter already.");
        if (trainingScheme is not null)
            throw new InvalidOperationException("The layer is prepared for quantization-aware training; convert the model "
                + "first.");
        adapter = added;
        register_module(nameof(adapter), added);
    }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        using var transposed = weight.t();
        packed = new PackedLinear(transposed, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(weight);
    }
}
