using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Codes of a weight with their scales, those of up to 4 bits two in a byte.</summary>
internal sealed class StoredCodes : IDisposable
{
    private readonly IReadOnlyList<long> shape;
    private readonly Tensor codes, scales;
    private readonly Tensor? zeroPoints;
    private readonly bool isPacked;

    private StoredCodes(QuantizationScheme scheme, IReadOnlyList<long> shape, Tensor codes, Tensor scales, Tensor? zeroPoints,
        bool isPacked)
    {
        Scheme = scheme;
        this.shape = shape;
        this.codes = codes.DetachFromDisposeScope();
        this.scales = scales.DetachFromDisposeScope();
        this.zeroPoints = zeroPoints?.DetachFromDisposeScope();
        this.isPacked = isPacked;
    }

    /// <summary>How the codes were made.</summary>
    public QuantizationScheme Scheme { get; }

    /// <summary>Bytes of codes, scales and zero points.</summary>
    public long Bytes => codes.numel() + (4 * scales.numel()) + (zeroPoints?.numel() ?? 0);

    /// <summary>The tensors themselves, by name, for checkpoints.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors
    {
        get
        {
            yield return (nameof(codes), codes);
            yield return (nameof(scales), scales);
            if (zeroPoints is not null) yield return ("zero_points", zeroPoints);
        }
    }

    /// <summary>Rounds a weight to the nearest codes.</summary>
    /// <param name="weight">Floating-point [out, in].</param>
    /// <param name="scheme">How codes are made.</param>
    /// <exception cref="ArgumentException">The scheme does not fit the weight, or a weight is not finite.</exception>
    public static StoredCodes Round(Tensor weight, QuantizationScheme scheme)
    {
        using var made = QuantizedTensor.Round(weight, scheme);
        var isPacked = scheme.Bits <= 4 && made.Codes.numel() % 2 == 0;
        return new StoredCodes(scheme, made.Shape, isPacked ? made.PackNibbles() : made.Codes.clone(), made.Scales.clone(),
            made.ZeroPoints?.clone(), isPacked);
    }

    /// <summary>The numbers that the codes stand for, float32 [out, in]; the caller disposes them.</summary>
    public Tensor Numbers()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var weight = new QuantizedTensor(Scheme, shape, isPacked ? Unpacked() : codes.alias(), scales.alias(),
            zeroPoints?.alias());
        return weight.Dequantize().MoveToOuterDisposeScope();
    }

    /// <summary>The same codes on a device.</summary>
    public StoredCodes To(Device device) => new(Scheme, shape, codes.to(device, copy: true), scales.to(device, copy: true),
        zeroPoints?.to(device, copy: true), isPacked);

    public void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
        zeroPoints?.Dispose();
    }

    /// <summary>The first code of a byte lies in its upper half.</summary>
    private Tensor Unpacked()
    {
        var low = codes.remainder(16);
        var pairs = stack([(codes - low).floor_divide(16), low], -1).view(shape[0], -1);
        return (pairs.to(ScalarType.Int32) + Scheme.LowestCode).to(Scheme.CodeType);
    }
}
