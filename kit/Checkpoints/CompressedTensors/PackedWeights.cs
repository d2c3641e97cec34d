using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// One weight in the format pack-quantized: codes without sign in int32 words, the first in the lowest bits; scales; zero points
/// packed down the rows; the shape.
/// </summary>
internal static class PackedWeights
{
    private const int WordBits = 32;
    private static readonly int[] KnownBits = [4, 8];

    /// <summary>Endings of the tensors that stand for a weight.</summary>
    public const string Packed = "weight_packed", Scale = "weight_scale", ZeroPoint = "weight_zero_point", Shape = "weight_shape",
        GroupIndex = "weight_g_idx";

    /// <summary>The tensors that stand for a weight, by their endings; the caller disposes them.</summary>
    /// <param name="weight">A matrix of 4 or 8 bits without a code book.</param>
    /// <param name="scaleType">Dtype of the scales, which is that of the weight when it is read.</param>
    public static IEnumerable<(string Ending, Tensor Tensor)> Of(QuantizedTensor weight, ScalarType scaleType)
    {
        var scheme = weight.Scheme;
        yield return (Packed, Words(weight.Codes.to(ScalarType.Int64) - scheme.LowestCode, scheme.Bits));
        yield return (Scale, scheme.Granularity == ScaleGranularity.Tensor ? weight.Scales.view(1).to(scaleType)
            : weight.Scales.to(scaleType));
        if (weight.ZeroPoints is { } zeros)
            yield return (ZeroPoint, scheme.Granularity == ScaleGranularity.Tensor
                ? (zeros.view(1).to(ScalarType.Int64) - Middle(scheme.Bits)).to(ScalarType.Int8)
                : Words(zeros.t().to(ScalarType.Int64), scheme.Bits).t().contiguous());
        yield return (Shape, tensor([.. weight.Shape]));
    }

    /// <summary>A weight from the tensors that stand for it; the caller disposes it.</summary>
    /// <param name="layer">Name of the layer, for errors.</param>
    /// <param name="tensors">The tensors by their endings.</param>
    /// <exception cref="InvalidDataException">They are incomplete or do not fit each other.</exception>
    public static QuantizedTensor Read(string layer, IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        var parts = new Parts(layer, tensors);
        if (tensors.ContainsKey(GroupIndex))
            throw parts.Bad("has its columns in another order (weight_g_idx), which is not read yet");
        var (packed, scales) = (parts.Of(Packed, ScalarType.Int32), parts.Of(Scale).to(ScalarType.Float32));
        var (rows, columns) = parts.Size();
        var bits = KnownBits.FirstOrDefault(bits => packed.shape.SequenceEqual([rows, Length(columns, bits)]));
        if (bits == 0)
            throw parts.Bad($"has packed codes {packed.ShapeText()}, which are not those of [{rows}, {columns}] in 4 or 8 bits");
        var groups = scales.numel() == 1 ? 0 : scales.dim() == 2 && scales.shape[0] == rows ? scales.shape[1] : -1;
        if (groups < 0 || (groups > 1 && columns % groups != 0))
            throw parts.Bad($"has scales {scales.ShapeText()}; expected [{rows}, groups] with groups that divide {columns} "
                + "columns");

        var zeros = tensors.ContainsKey(ZeroPoint) ? parts.Zeros(rows, groups, bits) : null;
        var scheme = new QuantizationScheme
        {
            Bits = bits,
            IsSymmetric = zeros is null,
            Granularity = groups switch { 0 => ScaleGranularity.Tensor, 1 => ScaleGranularity.Row, _ => ScaleGranularity.Group },
            GroupSize = groups > 1 ? (int)(columns / groups) : 0,
        };
        var codes = (Codes(packed, columns, bits) + scheme.LowestCode).to(scheme.CodeType);
        return new QuantizedTensor(scheme, [rows, columns], codes, groups == 0 ? scales.view(1, 1).clone() : scales.clone(),
            zeros?.to(ScalarType.Byte));
    }

    /// <summary>Words that hold this many codes.</summary>
    private static long Length(long codes, int bits) => (codes + (WordBits / bits) - 1) / (WordBits / bits);

    /// <summary>What is added to a signed code.</summary>
    private static int Middle(int bits) => 1 << (bits - 1);

    /// <summary>Whole numbers from 0 in words: int64 [rows, columns] to int32 [rows, words].</summary>
    private static Tensor Words(Tensor numbers, int bits)
    {
        using var scope = NewDisposeScope();
        var each = WordBits / bits;
        var (rows, columns) = numbers.Axes2();
        var words = Length(columns, bits);
        var padded = cat([numbers, zeros([rows, (words * each) - columns], ScalarType.Int64)], 1).view(rows, words, each);
        var sum = (padded * Factors(bits)).sum(dim: 2);
        return (sum - (sum.ge(1L << 31).to(ScalarType.Int64) * (1L << WordBits))).to(ScalarType.Int32).MoveToOuterDisposeScope();
    }

    /// <summary>The numbers of words: int32 [rows, words] to int64 [rows, columns].</summary>
    private static Tensor Codes(Tensor words, long columns, int bits)
    {
        using var scope = NewDisposeScope();
        var whole = words.to(ScalarType.Int64).remainder(1L << WordBits).unsqueeze(-1);
        var codes = whole.floor_divide(Factors(bits)).remainder(1 << bits);
        return codes.view(words.shape[0], -1).narrow(1, 0, columns).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>1, 2^bits, 4^bits …: what a number of a word is multiplied by.</summary>
    private static Tensor Factors(int bits) =>
        tensor([.. Enumerable.Range(0, WordBits / bits).Select(place => 1L << (place * bits))]);

    /// <summary>The tensors that stand for one weight.</summary>
    private sealed record Parts(string Layer, IReadOnlyDictionary<string, Tensor> Tensors)
    {
        public Tensor Of(string ending, ScalarType? type = null)
        {
            if (!Tensors.TryGetValue(ending, out var tensor)) throw Bad($"lacks {ending}");
            return type is null ? tensor.is_floating_point() ? tensor : throw Bad($"has {tensor.dtype} {ending}; expected floats")
                : tensor.dtype == type ? tensor : throw Bad($"has {tensor.dtype} {ending}; expected {type}");
        }

        public (long Rows, long Columns) Size()
        {
            var shape = Of(Shape, ScalarType.Int64);
            return shape.numel() == 2 && shape.data<long>().ToArray() is [> 0 and var rows, > 0 and var columns] ? (rows, columns)
                : throw Bad("has no two sizes of at least 1 as its shape");
        }

        /// <returns>int64 of the shape of the scales.</returns>
        public Tensor Zeros(long rows, long groups, int bits)
        {
            var stored = Tensors[ZeroPoint];
            if (groups == 0 && stored.numel() == 1) return stored.to(ScalarType.Int64).view(1, 1) + Middle(bits);
            if (groups > 0 && stored.dtype == ScalarType.Int32 && stored.shape.SequenceEqual([Length(rows, bits), groups]))
                return Codes(stored.t().contiguous(), rows, bits).t().contiguous();
            throw Bad($"has zero points {stored.dtype} {stored.ShapeText()}, which do not fit {rows} rows of {groups} groups");
        }

        public InvalidDataException Bad(string what) => new($"{Layer} {what}.");
    }
}
