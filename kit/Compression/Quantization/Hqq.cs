using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// HQQ, half-quadratic quantization: searches the zero point of each group so that the weights' error is sparse, which leaves
/// outliers alone with their error. It needs no calibration.
/// </summary>
/// <remarks>
/// Badri and Shaji, 2023, https://mobiusml.github.io/hqq_blog/. Each step separates the error into a sparse part, by the
/// shrinkage operator of the lp norm, and a rest, whose mean moves the zero point. Of all steps, each group keeps the zero point
/// with the smallest mean absolute error; the full range with its rounded zero point is the first.
/// </remarks>
public sealed record Hqq : Rounding
{
    /// <summary>Steps of the search.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>The power p of the norm of the error, above 0 and at most 1.</summary>
    public double Norm { get; init; } = 0.7;

    /// <summary>Weight of the quadratic penalty in the first step (beta).</summary>
    public double Penalty { get; init; } = 10;

    /// <summary>Factor of the penalty from one step to the next (kappa).</summary>
    public double PenaltyGrowth { get; init; } = 1.01;

    /// <summary>Whether zero points are rounded to whole numbers, so that zero is exact and they take fewer bits.</summary>
    public bool RoundsZeroPoints { get; init; }

    /// <inheritdoc/>
    internal override void Check(QuantizationScheme scheme)
    {
        Require.AtLeast(1, Steps);
        Require.That(Norm is > 0 and <= 1, Norm, nameof(Norm), "above 0 and at most 1");
        Require.Positive(Penalty);
        Require.Positive(PenaltyGrowth);
        if (scheme.CodeBook is not null || scheme.IsSymmetric)
            throw new ArgumentException(
                $"HQQ searches zero points, and {scheme} has none; use an affine scheme.", nameof(scheme));
    }

    /// <inheritdoc/>
    public override QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null)
    {
        scheme.Check();
        Check(scheme);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var groups = QuantizedTensor.Groups(weight, scheme);
        var numbers = scheme.Granularity == ScaleGranularity.Tensor ? groups.reshape(1, 1, -1) : groups;
        var grid = QuantizationGrid.Covering(scheme, groups) with { HasFractionalZeroPoints = true };
        var best = Search(numbers, grid);
        return QuantizedTensor.Round(weight, groups,
            grid with { ZeroPoints = best, HasFractionalZeroPoints = !RoundsZeroPoints });
    }

    /// <returns>Zero points, float32 [rows, groups, 1].</returns>
    private Tensor Search(Tensor groups, QuantizationGrid grid)
    {
        var best = grid.ZeroPoints!.clone();
        var least = full_like(best, float.PositiveInfinity);
        var penalty = Penalty;
        var zeros = best.clone();
        for (var step = 0; step <= Steps; step++)
        {
            using var scope = NewDisposeScope();
            var tried = grid with { ZeroPoints = zeros };
            var codes = tried.Codes(groups);
            var error = groups - tried.Values(codes);
            var kept = RoundsZeroPoints ? zeros.round().clamp_(0, grid.Scheme.HighestCode) : zeros;
            var rounded = grid with { ZeroPoints = kept };
            var size = (groups - rounded.Values(rounded.Codes(groups))).abs().mean([-1L], keepdim: true);
            best.copy_(where(size < least, kept, best));
            least.copy_(minimum(least, size));
            zeros.copy_((codes - ((groups - Shrunk(error, penalty)) / grid.Scales)).mean([-1L], keepdim: true));
            penalty *= PenaltyGrowth;
        }
        return best;
    }

    /// <summary>The part of the error that is kept as sparse.</summary>
    private Tensor Shrunk(Tensor error, double penalty)
    {
        var size = error.abs();
        return error.sign() * (size - (size.pow(Norm - 1) / penalty)).relu_();
    }
}
