using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// The scales, and zero points, that numbers are rounded with: one for each group, or expanded to one for each number.
/// </summary>
/// <param name="Scheme">How codes are made.</param>
/// <param name="Scales">float32 [rows, groups, 1], or of any shape that broadcasts to the numbers.</param>
/// <param name="ZeroPoints">float32 of the shape of the scales; null for a symmetric grid.</param>
internal sealed record QuantizationGrid(QuantizationScheme Scheme, Tensor Scales, Tensor? ZeroPoints)
{
    /// <summary>Whether zero points are no whole numbers, so that they are added before rounding.</summary>
    public bool HasFractionalZeroPoints { get; init; }

    /// <summary>Finds the grid that covers the numbers.</summary>
    /// <param name="scheme">How codes are made.</param>
    /// <param name="groups">float32 [rows, groups, numbers of a group].</param>
    /// <param name="shrink">Factor of the range; below 1 the largest numbers are clipped.</param>
    public static QuantizationGrid Covering(QuantizationScheme scheme, Tensor groups, double shrink = 1)
    {
        var (lowest, highest) = Ends(scheme, groups);
        return Between(scheme, lowest * shrink, highest * shrink, x => x.round_());
    }

    /// <summary>The ends of the numbers' range by group, widened to include zero.</summary>
    /// <param name="scheme">How codes are made.</param>
    /// <param name="groups">float32 [rows, groups, numbers of a group].</param>
    /// <returns>float32 [rows, groups, 1], or [1, 1, 1] for one scale.</returns>
    public static (Tensor Lowest, Tensor Highest) Ends(QuantizationScheme scheme, Tensor groups)
    {
        var isWhole = scheme.Granularity == ScaleGranularity.Tensor;
        return ((isWhole ? groups.min().view(1, 1, 1) : groups.amin([-1], keepdim: true)).clamp_(max: 0),
            (isWhole ? groups.max().view(1, 1, 1) : groups.amax([-1], keepdim: true)).clamp_(min: 0));
    }

    /// <summary>The grid of given ends, one of which may be zero.</summary>
    /// <param name="scheme">How codes are made.</param>
    /// <param name="lowest">At most 0.</param>
    /// <param name="highest">At least 0.</param>
    /// <param name="round">Rounds zero points.</param>
    public static QuantizationGrid Between(QuantizationScheme scheme, Tensor lowest, Tensor highest, Func<Tensor, Tensor> round)
    {
        if (scheme.CodeBook is not null || scheme.IsSymmetric)
            return new QuantizationGrid(scheme, Filled(maximum(highest, -lowest) / Steps(scheme)), null);
        var scales = Filled((highest - lowest) / scheme.HighestCode);
        return new QuantizationGrid(scheme, scales, round(-lowest / scales).clamp(0, scheme.HighestCode));
    }

    /// <summary>Rounds numbers to the nearest code, ties to even; numbers beyond the grid to its ends.</summary>
    /// <returns>Whole numbers as float32.</returns>
    public Tensor Codes(Tensor numbers)
    {
        if (Scheme.CodeBook is { } book)
            return bucketize(numbers / Scales, tensor(book.Boundaries, device: numbers.device)).to(ScalarType.Float32);
        var steps = numbers / Scales;
        var codes = ZeroPoints is null ? steps.round_()
            : HasFractionalZeroPoints ? steps.add_(ZeroPoints).round_() : steps.round_().add_(ZeroPoints);
        return codes.clamp_(Scheme.LowestCode, Scheme.HighestCode);
    }

    /// <summary>Whether numbers lie inside the grid, so that their codes are not those of its ends by clipping.</summary>
    /// <param name="numbers">float32 of a shape that broadcasts with the scales.</param>
    /// <returns>bool of the shape of the numbers.</returns>
    public Tensor Covers(Tensor numbers)
    {
        if (Scheme.CodeBook is not null) return (numbers / Scales).abs() <= 1 + 1e-6;
        var steps = (numbers / Scales).round_();
        if (ZeroPoints is not null) steps.add_(ZeroPoints);
        return (steps >= Scheme.LowestCode).logical_and(steps <= Scheme.HighestCode);
    }

    /// <summary>The numbers that codes stand for.</summary>
    /// <param name="codes">Whole numbers of any dtype, of a shape that broadcasts with the scales.</param>
    /// <returns>float32.</returns>
    public Tensor Values(Tensor codes)
    {
        if (Scheme.CodeBook is { } book)
            return tensor((float[])[.. book.Values], device: codes.device)[codes.to(ScalarType.Int64)] * Scales;
        var steps = codes.to(ScalarType.Float32);
        return (ZeroPoints is null ? steps : steps - ZeroPoints) * Scales;
    }

    /// <summary>Steps from zero to the largest magnitude of a symmetric grid.</summary>
    private static double Steps(QuantizationScheme scheme) => scheme.CodeBook is not null ? 1
        : scheme.UsesFullRange ? ((1 << scheme.Bits) - 1) / 2.0
        : scheme.HighestCode;

    /// <summary>A group of zeros alone has scale 1.</summary>
    private static Tensor Filled(Tensor scales) => scales.masked_fill(scales == 0, 1);
}
