using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Directions in activations along which a model is steered; <see cref="Edit.Add"/> adds them.</summary>
public static class Steering
{
    /// <summary>The mean of some activations less the mean of others.</summary>
    /// <remarks>Rimsky et al., 2024, https://arxiv.org/abs/2312.06681 (contrastive activation addition).</remarks>
    /// <param name="positive">Activations of texts with the property, [example, channels].</param>
    /// <param name="negative">Activations of texts without it, [example, channels].</param>
    /// <returns>[channels]; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a value is not finite.</exception>
    public static Tensor DifferenceOfMeans(Tensor positive, Tensor negative)
    {
        Check(positive, negative);
        using var scope = NewDisposeScope();
        return (positive.mean([0]) - negative.mean([0])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The first principal direction of the differences between pairs of activations, of length 1, which points from the
    /// negative ones to the positive ones.
    /// </summary>
    /// <remarks>Zou et al., 2023, https://arxiv.org/abs/2310.01405 (representation engineering). The differences are not
    /// centred, so that what all pairs share counts.</remarks>
    /// <param name="positive">Activations of texts with the property, [pair, channels].</param>
    /// <param name="negative">Activations of the texts without it, [pair, channels].</param>
    /// <returns>[channels]; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or a value is not finite.</exception>
    public static Tensor PrincipalDirection(Tensor positive, Tensor negative)
    {
        Check(positive, negative);
        if (positive.shape[0] != negative.shape[0])
            throw new ArgumentException($"Got {positive.shape[0]} positive and {negative.shape[0]} negative activations; "
                + "expected pairs.", nameof(negative));
        using var scope = NewDisposeScope();
        var differences = (positive - negative).to(float64);
        var (_, _, right) = linalg.svd(differences, fullMatrices: false);
        var direction = right[0];
        if (differences.mean([0]).dot(direction).item<double>() < 0) direction = -direction;
        return direction.to(positive.dtype).MoveToOuterDisposeScope();
    }

    private static void Check(Tensor positive, Tensor negative)
    {
        if (positive.dim() != 2 || negative.dim() != 2 || positive.shape[1] != negative.shape[1] || positive.shape[0] == 0
            || negative.shape[0] == 0)
            throw new ArgumentException(
                $"Got {positive.ShapeText()} and {negative.ShapeText()}; expected [example, channels] twice.", nameof(positive));
        EditValue.CheckFinite(positive, "The positive activations");
        EditValue.CheckFinite(negative, "The negative activations");
    }
}
