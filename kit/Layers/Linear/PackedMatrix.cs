using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A matrix in another form than its parameter's, for inference alone: packed or quantized.</summary>
/// <param name="dtype">Dtype of the weight.</param>
internal abstract class PackedMatrix(ScalarType dtype) : PackedWeight(dtype)
{
    /// <summary>Computes x Wᵀ + b.</summary>
    /// <param name="x">float32 or bfloat16 [..., in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>float32 [..., out].</returns>
    /// <exception cref="ArgumentException">The input has another number of channels.</exception>
    /// <exception cref="InvalidOperationException">A gradient is recorded, or the input is on another device than
    /// the weight.</exception>
    public abstract Tensor Multiply(Tensor x, Tensor? bias);

    /// <summary>The same weight for steps of one row; null where this machine multiplies one row otherwise.</summary>
    public virtual RowWeight? ForOneRow() => null;
}
