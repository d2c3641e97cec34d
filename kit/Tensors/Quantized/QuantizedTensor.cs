using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>A weight as codes of a few bits with their scales.</summary>
/// <remarks>The caller disposes it.</remarks>
public sealed class QuantizedTensor : IDisposable
{
    internal QuantizedTensor(QuantizationScheme scheme, IReadOnlyList<long> shape, Tensor codes, Tensor scales,
        Tensor? zeroPoints)
    {
        Scheme = scheme;
        Shape = shape;
        Codes = codes.DetachFromDisposeScope();
        Scales = scales.DetachFromDisposeScope();
        ZeroPoints = zeroPoints?.DetachFromDisposeScope();
    }

    /// <summary>How the codes were made.</summary>
    public QuantizationScheme Scheme { get; }

    /// <summary>Shape of the weight.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>[rows, columns] int8, or uint8 for an affine scheme or a code book.</summary>
    public Tensor Codes { get; }

    /// <summary>float32 [rows, groups]; [1, 1] for one scale.</summary>
    public Tensor Scales { get; }

    /// <summary>
    /// uint8 of the shape of <see cref="Scales"/>, or float32 where the method finds fractional ones (<c>Hqq</c>); null where
    /// the scheme has none.
    /// </summary>
    public Tensor? ZeroPoints { get; }

    /// <summary>
    /// Bits of a weight with its share of the scales (16 bits each) and zero points (as many as a code, or 16 where they are
    /// fractional).
    /// </summary>
    public double BitsPerWeight => Scheme.Bits + (Scales.numel() * (16.0 + ZeroPointBits) / Math.Max(1, Codes.numel()));

    private int ZeroPointBits => ZeroPoints is null ? 0 : ZeroPoints.dtype == ScalarType.Byte ? Scheme.Bits : 16;

    /// <summary>Rounds a weight to the nearest codes.</summary>
    /// <param name="weight">Floating-point [rows, ...]; rows are output channels, and the other axes are flattened.</param>
    /// <param name="scheme">How codes are made.</param>
    /// <exception cref="ArgumentException">
    /// A setting is out of range, the groups do not divide a row, or a weight is NaN or infinite.
    /// </exception>
    public static QuantizedTensor Round(Tensor weight, QuantizationScheme scheme)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var groups = Groups(weight, scheme);
        return Round(weight, groups, QuantizationGrid.Covering(scheme, groups));
    }

    /// <summary>Rounds a weight with a given grid.</summary>
    /// <param name="weight">[rows, ...], for its shape.</param>
    /// <param name="groups">Its numbers, float32 [rows, groups, numbers of a group].</param>
    /// <param name="grid">Scales of shape [rows, groups, 1] or [1, 1, 1].</param>
    internal static QuantizedTensor Round(Tensor weight, Tensor groups, QuantizationGrid grid)
    {
        return OfCodes(weight, grid.Codes(groups), grid);
    }

    /// <summary>A weight of given codes.</summary>
    /// <param name="weight">[rows, ...], for its shape.</param>
    /// <param name="codes">Whole numbers of any dtype, as many as the weight has numbers.</param>
    /// <param name="grid">Scales of shape [rows, groups, 1] or [1, 1, 1].</param>
    internal static QuantizedTensor OfCodes(Tensor weight, Tensor codes, QuantizationGrid grid)
    {
        using var scope = NewDisposeScope();
        return new QuantizedTensor(grid.Scheme, weight.shape, codes.to(grid.Scheme.CodeType).reshape(weight.shape[0], -1),
            grid.Scales.squeeze(-1).clone(), grid.ZeroPoints?.squeeze(-1)
                .to(grid.HasFractionalZeroPoints ? ScalarType.Float32 : ScalarType.Byte, copy: true));
    }

    /// <summary>The numbers of a weight by group.</summary>
    /// <returns>float32 [rows, groups, numbers of a group].</returns>
    internal static Tensor Groups(Tensor weight, QuantizationScheme scheme)
    {
        scheme.Check();
        if (weight.dim() < 1 || weight.numel() == 0)
            throw new ArgumentException($"Got {weight.ShapeText()}; expected a weight [rows, ...] with numbers.", nameof(weight));
        var rows = weight.detach().to(ScalarType.Float32).reshape(weight.shape[0], -1);
        if (!rows.isfinite().all().item<bool>())
            throw new ArgumentException("The weight holds NaN or infinity, which no code stands for.", nameof(weight));
        return rows.reshape(rows.shape[0], scheme.GroupsOf(rows.shape[1]), -1);
    }

    /// <summary>The numbers that the codes stand for.</summary>
    /// <returns>float32 of <see cref="Shape"/>.</returns>
    public Tensor Dequantize()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var grid = new QuantizationGrid(Scheme, Scales.unsqueeze(-1), ZeroPoints?.to(ScalarType.Float32).unsqueeze(-1));
        var groups = Codes.view(Codes.shape[0], Scheme.GroupsOf(Codes.shape[1]), -1);
        return grid.Values(groups).reshape([.. Shape]).MoveToOuterDisposeScope();
    }

    /// <summary>Two 4-bit codes a byte, the first in the upper half, in the order of the numbers.</summary>
    /// <returns>uint8, half as many as the codes.</returns>
    /// <exception cref="InvalidOperationException">A code has more than 4 bits, or their number is odd.</exception>
    public Tensor PackNibbles()
    {
        if (Scheme.Bits > 4 || Codes.numel() % 2 != 0)
            throw new InvalidOperationException(
                $"{Codes.numel()} codes of {Scheme.Bits} bits cannot be packed; expected an even number of at most 4 bits.");
        using var scope = NewDisposeScope();
        var pairs = (Codes.to(ScalarType.Int32) - Scheme.LowestCode).reshape(-1, 2);
        return ((pairs.select(1, 0) * 16) + pairs.select(1, 1)).to(ScalarType.Byte).MoveToOuterDisposeScope();
    }

    /// <summary>The same codes in tensors of their own; the caller disposes it.</summary>
    internal QuantizedTensor Copy() =>
        new(Scheme, Shape, Codes.clone(), Scales.clone(), ZeroPoints?.clone());

    /// <summary>Rows of one scheme as one weight; the parts are disposed.</summary>
    internal static QuantizedTensor Joined(IReadOnlyList<QuantizedTensor> parts)
    {
        if (parts.Count == 1) return parts[0];
        using var scope = NewDisposeScope();
        var joined = new QuantizedTensor(parts[0].Scheme, [parts.Sum(part => part.Shape[0]), .. parts[0].Shape.Skip(1)],
            cat([.. parts.Select(part => part.Codes)]), cat([.. parts.Select(part => part.Scales)]),
            parts[0].ZeroPoints is null ? null : cat([.. parts.Select(part => part.ZeroPoints!)]));
        foreach (var part in parts) part.Dispose();
        return joined;
    }

    /// <summary>Some rows; the caller disposes it.</summary>
    /// <param name="places">int64 [count].</param>
    internal QuantizedTensor Rows(Tensor places)
    {
        Tensor Of(Tensor numbers) => numbers.shape[0] == 1 ? numbers.clone() : numbers.index_select(0, places);
        return new(Scheme, [places.numel(), .. Shape.Skip(1)], Codes.index_select(0, places), Of(Scales),
            ZeroPoints is null ? null : Of(ZeroPoints));
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"[{string.Join(", ", Shape)}] {Scheme}: {BitsPerWeight:0.##} bits a weight");

    /// <inheritdoc/>
    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
        ZeroPoints?.Dispose();
    }
}
