using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// SmoothQuant: divides the inputs of linear layers by a factor for each channel, and multiplies the weights that read them, so
/// that outliers of the inputs are shared between both. Before rounding the results are the same.
/// </summary>
/// <remarks>Xiao et al., 2022, https://arxiv.org/abs/2211.10438; the arithmetic of the reference code.</remarks>
public static class Smoothing
{
    private const double Least = 1e-5;

    /// <summary>Computes the factor of each input channel.</summary>
    /// <param name="largestInputs">Largest magnitude of each input, [in].</param>
    /// <param name="weights">The weights that read them, each [out, in].</param>
    /// <param name="alpha">0 to 1: how much of the outliers moves into the weights.</param>
    /// <returns>float32 [in]; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">There is no weight, the sizes differ, or alpha is out of range.</exception>
    public static Tensor Factors(Tensor largestInputs, IReadOnlyList<Tensor> weights, double alpha = 0.5)
    {
        Require.That(alpha is >= 0 and <= 1, alpha, nameof(alpha), "0 to 1");
        Require.That(weights.Count > 0, weights.Count, "the number of weights", "at least 1");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var weight in weights)
            if (weight.dim() != 2 || weight.shape[1] != largestInputs.numel())
                throw new ArgumentException(
                    $"A weight is {weight.ShapeText()}; expected [out, {largestInputs.numel()}], one column for each input.");
        var largest = stack([.. weights.Select(weight => weight.abs().amax([0]))]).amax([0]).clamp_(min: Least);
        return (largestInputs.to(ScalarType.Float32).pow(alpha) / largest.pow(1 - alpha)).clamp_(min: Least)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Moves factors from the inputs into the weights.</summary>
    /// <param name="factors">[in], from <see cref="Factors"/>.</param>
    /// <param name="producers">
    /// What makes the inputs, divided in place: weight and bias of the norm before the layers, each with [in] as the first axis.
    /// </param>
    /// <param name="weights">The weights that read them, each [out, in], multiplied in place.</param>
    /// <exception cref="ArgumentException">A size differs; then nothing was changed.</exception>
    public static void Apply(Tensor factors, IReadOnlyList<Tensor> producers, IReadOnlyList<Tensor> weights)
    {
        var channels = factors.numel();
        foreach (var producer in producers)
            if (producer.dim() < 1 || producer.shape[0] != channels)
                throw new ArgumentException($"A producer is {producer.ShapeText()}; expected {channels} channels on its first "
                    + "axis.");
        foreach (var weight in weights)
            if (weight.dim() != 2 || weight.shape[1] != channels)
                throw new ArgumentException($"A weight is {weight.ShapeText()}; expected [out, {channels}].");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var producer in producers)
            producer.div_(factors.view([channels, .. Enumerable.Repeat(1L, (int)producer.dim() - 1)]));
        foreach (var weight in weights) weight.mul_(factors);
    }
}
