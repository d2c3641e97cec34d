using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>How much a weight matters, for <see cref="PruningMask"/>. The caller disposes the result.</summary>
public static class PruningScores
{
    /// <summary>Magnitude: |w|.</summary>
    public static Tensor Magnitude(Tensor weight)
    {
        using var noGrad = no_grad();
        return weight.detach().abs();
    }

    /// <summary>Random numbers, the baseline of every other score.</summary>
    /// <param name="weight">For its shape and device.</param>
    /// <param name="seed">Seed; the same seed gives the same scores.</param>
    public static Tensor Random(Tensor weight, ulong seed)
    {
        using var generator = new Generator(seed);
        return rand(weight.shape, generator: generator).to(weight.device);
    }

    /// <summary>Wanda: |w| times the norm of the weight's input over the calibration data.</summary>
    /// <remarks>
    /// Sun et al., 2023, https://arxiv.org/abs/2306.11695. Use it by row: <see cref="PruningMask.ShareOfRows"/> or
    /// <see cref="PruningMask.OfGroups"/>. With inputs of equal size it is the magnitude by row.
    /// </remarks>
    /// <param name="weight">[out, in].</param>
    /// <param name="inputs">What the layer reads.</param>
    /// <exception cref="ArgumentException">The inputs are of another size, or there are none.</exception>
    public static Tensor Wanda(Tensor weight, InputMoments inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _ = InputMoments.Required(weight, inputs, "Wanda");
        var norms = inputs.MeanSquares.sqrt();
        return (weight.detach().reshape(weight.shape[0], -1).abs() * norms).reshape(weight.shape).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Movement: −w · ∂L/∂w, summed over training by the caller: weights that move toward zero are pruned.
    /// </summary>
    /// <remarks>Sanh et al., 2020, https://arxiv.org/abs/2005.07683.</remarks>
    /// <param name="weight">The weight.</param>
    /// <param name="gradient">Its gradient, of the same shape.</param>
    public static Tensor Movement(Tensor weight, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return (-(weight.detach() * gradient.detach())).MoveToOuterDisposeScope();
    }
}
