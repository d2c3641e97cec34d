using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>The product of a packed or quantized layer, for steps of one row.</summary>
internal sealed unsafe class StepProduct
{
    private readonly IQuantizableLayer layer;
    private readonly PackedMatrix matrix;
    private readonly RowWeight weight;
    private readonly Tensor? bias;
    private float* biases;

    private StepProduct(IQuantizableLayer layer, PackedMatrix matrix, RowWeight weight, Tensor? bias)
    {
        this.layer = layer;
        this.matrix = matrix;
        this.weight = weight;
        this.bias = bias;
    }

    /// <summary>Number of outputs.</summary>
    public int Outputs => weight.Outputs;

    /// <summary>Number of inputs.</summary>
    public int Inputs => weight.Inputs;

    /// <summary>Whether the layer still has the weight that it had.</summary>
    public bool IsCurrent => ReferenceEquals(layer.Packed, matrix);

    /// <summary>The product of a layer; null where it is not packed, or one row is multiplied faster elsewhere.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="bias">Its bias, or null.</param>
    public static StepProduct? Of(IQuantizableLayer layer, Tensor? bias) =>
        (bias is null || StepNorm.IsPlain(bias)) && layer.Packed is { } matrix && matrix.ForOneRow() is { } weight
            ? new StepProduct(layer, matrix, weight, bias) : null;

    /// <summary>Reads the addresses anew; on the thread that starts the step.</summary>
    public void Locate()
    {
        weight.Locate();
        biases = bias is null ? null : (float*)NativeTensors.Data(bias);
    }

    /// <summary>Computes a thread's outputs of x Wᵀ + b.</summary>
    public void Multiply(float* x, float* y, StepRoom room, int thread, int threads) =>
        weight.Multiply(x, biases, y, room, thread, threads);
}
