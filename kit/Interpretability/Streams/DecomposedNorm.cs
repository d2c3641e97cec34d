using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>A norm as a linear map: with its scale given, the norm of a sum is the sum of the norms of the parts.</summary>
internal static class DecomposedNorm
{
    /// <summary>(x - mean(x)) / scale · weight; RMS norms, which have no bias, subtract no mean.</summary>
    /// <param name="vectors">[..., channels].</param>
    /// <param name="scale">The recorded scale, broadcastable.</param>
    /// <param name="weight">[channels].</param>
    /// <param name="bias">[channels] of a layer norm; null for an RMS norm. It is not added.</param>
    public static Tensor Apply(Tensor vectors, Tensor scale, Tensor weight, Tensor? bias) =>
        (bias is null ? vectors : vectors - vectors.mean([-1], keepdim: true)) / scale * weight.to(vectors);
}
