using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// Rounds a weight to the numbers that its codes stand for, and lets gradients pass: 1 where a number lies inside the grid, 0
/// outside.
/// </summary>
/// <remarks>Bengio et al., 2013, https://arxiv.org/abs/1308.3432 (the straight-through estimator).</remarks>
public static class StraightThrough
{
    /// <summary>Rounds a weight.</summary>
    /// <param name="weight">Floating-point [rows, ...].</param>
    /// <param name="scheme">How codes are made; the grid covers the weight as it is now.</param>
    /// <returns>The numbers of <see cref="QuantizedTensor.Round(Tensor, QuantizationScheme)"/>, bit for bit, in the dtype of the
    /// weight.</returns>
    /// <exception cref="ArgumentException">The scheme does not fit the weight, or a weight is NaN or infinite.</exception>
    public static Tensor Round(Tensor weight, QuantizationScheme scheme)
    {
        using var scope = NewDisposeScope();
        Tensor numbers, inside;
        using (no_grad())
        {
            var groups = QuantizedTensor.Groups(weight, scheme);
            var grid = QuantizationGrid.Covering(scheme, groups);
            numbers = grid.Values(grid.Codes(groups)).reshape(weight.shape).to(weight.dtype);
            inside = grid.Covers(groups).reshape(weight.shape).to(weight.dtype);
        }
        var passed = weight * inside;
        return (numbers + (passed - passed.detach())).MoveToOuterDisposeScope();   // the difference is zero
    }
}
