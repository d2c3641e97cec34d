using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>
/// The scales, and zero points, that numbers are rounded with: one for each group, or expanded to one for each number.
/// </summary>
/// <param name="Scheme">How codes are made.</param>
/// <param name="Scales">float32 [rows, groups, 1], or of any shape that broadcasts to the numbers.</param>
/// <param name="ZeroPoints">float32 of the shape of the scales, whole numbers; null for a symmetric grid.</param>
internal sealed record QuantizationGrid(QuantizationScheme Scheme, Tensor Scales, Tensor? ZeroPoints)
{
    /// <summary>Finds the grid that covers the numbers.</summary>
    /// <param name="scheme">How codes are made.</param>
    /// <param name="groups">float32 [rows, groups, numbers of a group].</param>
    /// <param name="shrink">Factor of the range; below 1 the largest numbers are clipped.</param>
    public static QuantizationGrid Covering(QuantizationScheme scheme, Tensor groups, double shrink = 1)
    {
        var isWhole = scheme.Granularity == ScaleGranularity.Tensor;
        var highest = (isWhole ? groups.max().view(1, 1, 1) : groups.amax([-1], keepdim: true)).clamp_(min: 0) * shrink;
        var lowest = (isWhole ? groups.min().view(1, 1, 1) : groups.amin([-1], keepdim: true)).clamp_(max: 0) * shrink;
        if (scheme.CodeBook is not null || scheme.IsSymmetric)
        {
            var largest = maximum(highest, -lowest);
            return new QuantizationGrid(scheme, Filled(largest / Steps(scheme)), null);
        }
        var scales = Filled((highest - lowest) / scheme.HighestCode);
        return new QuantizationGrid(scheme, scales, (-lowest / scales).round_().clamp_(0, scheme.HighestCode));
    }

    /// <summary>Rounds numbers to the nearest code, ties to even; numbers beyond the grid to its ends.</summary>
    /// <returns>Whole numbers as float32.</returns>
    public Tensor Codes(Tensor numbers)
    {
        if (Scheme.CodeBook is { } book)
            return bucketize(numbers / Scales, tensor(book.Boundaries, device: numbers.device)).to(ScalarType.Float32);
        var codes = (numbers / Scales).round_();
        return (ZeroPoints is null ? codes : codes.add_(ZeroPoints)).clamp_(Scheme.LowestCode, Scheme.HighestCode);
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
    private static Tensor Filled(Tensor scales) => scales.masked_fill_(scales == 0, 1);
}
