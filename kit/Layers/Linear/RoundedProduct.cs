using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Computes x Wᵀ + b with a weight that is rounded in every forward pass, for quantization-aware training.</summary>
internal static class RoundedProduct
{
    /// <summary>Computes x Wᵀ + b.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="scheme">The grid; null for the weight as it is.</param>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias, QuantizationScheme? scheme)
    {
        if (scheme is null) return LinearProduct.Of(x, weight, bias);
        using var scope = NewDisposeScope();
        return LinearProduct.Of(x, StraightThrough.Round(weight, scheme), bias).MoveToOuterDisposeScope();
    }
}
