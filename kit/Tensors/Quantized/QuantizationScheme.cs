using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Which numbers of a weight share a scale.</summary>
public enum ScaleGranularity
{
    /// <summary>The whole tensor.</summary>
    Tensor,

    /// <summary>A row: the weights of one output channel.</summary>
    Row,

    /// <summary>A group of consecutive inputs of a row, <see cref="QuantizationScheme.GroupSize"/> of them.</summary>
    Group,
}

/// <summary>How a quantized layer treats what it reads.</summary>
public enum QuantizedInputs
{
    /// <summary>Not rounded beyond float32's precision: only the weights are quantized.</summary>
    Unrounded,

    /// <summary>Rounded to 8 bits, symmetric, with a scale for each row (token), found anew for each input.</summary>
    DynamicEightBits,

    /// <summary>Rounded to 8 bits, symmetric, with one scale for each layer that calibration found.</summary>
    StaticEightBits,
}

/// <summary>How numbers are rounded to codes of a few bits: the grid, and which numbers share it.</summary>
/// <remarks>
/// A symmetric grid is scale × code with codes from −2^(bits−1) to 2^(bits−1)−1. An affine grid is
/// scale × (code − zero point) with codes from 0 to 2^bits−1; zero is on it. A code book is absmax × book[code].
/// </remarks>
public sealed record QuantizationScheme
{
    /// <summary>Bits of a code, 2 to 8.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>Whether the grid is symmetric about zero, without a zero point.</summary>
    public bool IsSymmetric { get; init; } = true;

    /// <summary>
    /// Whether a symmetric grid places the largest magnitude half a step beyond its largest code, so that the scale is
    /// max|w| / ((2^bits − 1) / 2), as GPTQ and PyTorch's observers do. Otherwise it is max|w| / (2^(bits−1) − 1).
    /// </summary>
    public bool UsesFullRange { get; init; }

    /// <summary>Which numbers share a scale.</summary>
    public ScaleGranularity Granularity { get; init; } = ScaleGranularity.Row;

    /// <summary>Consecutive inputs that share a scale; used where <see cref="Granularity"/> is Group.</summary>
    public int GroupSize { get; init; } = 32;

    /// <summary>The values that codes stand for, instead of evenly spaced ones; null for an even grid.</summary>
    public CodeBook? CodeBook { get; init; }

    /// <summary>How a layer with such a weight treats what it reads; the weight's codes do not depend on it.</summary>
    public QuantizedInputs Inputs { get; init; }

    /// <summary>8 bits, symmetric, a scale for each output channel.</summary>
    public static QuantizationScheme EightBits { get; } = new();

    /// <summary>8-bit weights, and inputs rounded to 8 bits with a scale for each row.</summary>
    public static QuantizationScheme EightBitsDynamic { get; } = new() { Inputs = QuantizedInputs.DynamicEightBits };

    /// <summary>8-bit weights, and inputs rounded to 8 bits with a scale for each layer, from calibration.</summary>
    public static QuantizationScheme EightBitsStatic { get; } = new() { Inputs = QuantizedInputs.StaticEightBits };

    /// <summary>4 bits in groups of consecutive inputs.</summary>
    /// <param name="groupSize">Inputs that share a scale.</param>
    /// <param name="symmetric">Whether there is no zero point.</param>
    public static QuantizationScheme FourBits(int groupSize = 32, bool symmetric = false) => new()
    {
        Bits = 4,
        IsSymmetric = symmetric,
        Granularity = ScaleGranularity.Group,
        GroupSize = groupSize,
    };

    /// <summary>4-bit normal floats: the code book of QLoRA, with the largest magnitude of each block as its scale.</summary>
    /// <remarks>Dettmers et al., 2023, https://arxiv.org/abs/2305.14314.</remarks>
    /// <param name="blockSize">Consecutive inputs that share a scale.</param>
    public static QuantizationScheme Nf4(int blockSize = 64) =>
        FourBits(blockSize, symmetric: true) with { CodeBook = CodeBook.Nf4 };

    /// <summary>Smallest code.</summary>
    public int LowestCode => IsSymmetric && CodeBook is null ? -(1 << (Bits - 1)) : 0;

    /// <summary>Largest code.</summary>
    public int HighestCode => LowestCode + (1 << Bits) - 1;

    /// <summary>Dtype of a tensor of codes: int8 for a symmetric grid, uint8 otherwise.</summary>
    public ScalarType CodeType => LowestCode < 0 ? ScalarType.Int8 : ScalarType.Byte;

    /// <summary>Number of scales of a row.</summary>
    /// <param name="columns">Numbers of the row.</param>
    /// <exception cref="ArgumentException">The groups do not divide the row.</exception>
    public int GroupsOf(long columns)
    {
        if (Granularity != ScaleGranularity.Group) return 1;
        return columns % GroupSize == 0 ? (int)(columns / GroupSize) : throw new ArgumentException(
            $"A row of {columns} numbers cannot be quantized in groups of {GroupSize}; the group size must divide it.");
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var grid = CodeBook is { } book ? book.Name : $"int{Bits} {(IsSymmetric ? "symmetric" : "affine")}";
        var inputs = Inputs switch
        {
            QuantizedInputs.DynamicEightBits => ", dynamic int8 inputs",
            QuantizedInputs.StaticEightBits => ", static int8 inputs",
            _ => "",
        };
        return Granularity switch
        {
            ScaleGranularity.Tensor => $"{grid}, one scale{inputs}",
            ScaleGranularity.Row => $"{grid}, a scale a row{inputs}",
            _ => $"{grid}, groups of {GroupSize}{inputs}",
        };
    }

    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    internal void Check()
    {
        Require.That(Bits is >= 2 and <= 8, Bits, nameof(Bits), "2 to 8");
        if (Granularity == ScaleGranularity.Group) Require.AtLeast(2, GroupSize);
        if (CodeBook is { } book) Require.That(book.Values.Count == 1 << Bits, Bits, nameof(Bits),
            $"{Math.Log2(book.Values.Count)} for the {book.Values.Count} values of {book.Name}");
    }
}
