using System.Buffers.Binary;

namespace ResearchKit.Checkpoints;

/// <summary>Encodes and decodes the blocks of a GGUF tensor.</summary>
/// <remarks>
/// Layouts: https://github.com/ggml-org/ggml, ggml-common.h and ggml-quants.c. The codes are those of the
/// reference.
/// </remarks>
internal static class GgufBlocks
{
    /// <summary>Numbers and bytes of a block.</summary>
    /// <exception cref="InvalidDataException">The type is not one that the kit reads.</exception>
    public static (int Numbers, int Bytes) Size(GgufType type) => type switch
    {
        GgufType.F32 => (1, 4),
        GgufType.F16 or GgufType.BF16 => (1, 2),
        GgufType.Q8_0 => (32, 34),
        GgufType.Q4_0 => (32, 18),
        GgufType.Q4_K => (256, 144),
        GgufType.Q6_K => (256, 210),
        _ => throw new InvalidDataException(
            $"a tensor has type {(int)type}; known are {string.Join(", ", Enum.GetValues<GgufType>().Select(known => $"{known} ({(int)known})"))}"),
    };

    /// <summary>Decodes blocks.</summary>
    public static void Decode(GgufType type, ReadOnlySpan<byte> bytes, Span<float> numbers)
    {
        var (count, size) = Size(type);
        for (var block = 0; block < numbers.Length / count; block++)
        {
            var from = bytes.Slice(block * size, size);
            var to = numbers.Slice(block * count, count);
            switch (type)
            {
                case GgufType.F32: to[0] = BinaryPrimitives.ReadSingleLittleEndian(from); break;
                case GgufType.F16: to[0] = Half(from); break;
                case GgufType.BF16:
                    to[0] =
                    BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(from) << 16); break;
                case GgufType.Q8_0: DecodeQ8(from, to); break;
                case GgufType.Q4_0: DecodeQ4(from, to); break;
                case GgufType.Q4_K: SuperBlocks.DecodeQ4(from, to); break;
                default: SuperBlocks.DecodeQ6(from, to); break;
            }
        }
    }

    /// <summary>Encodes numbers, whose count is a multiple of the block's.</summary>
    public static void Encode(GgufType type, ReadOnlySpan<float> numbers, Span<byte> bytes)
    {
        var (count, size) = Size(type);
        for (var block = 0; block < numbers.Length / count; block++)
        {
            var from = numbers.Slice(block * count, count);
            var to = bytes.Slice(block * size, size);
            switch (type)
            {
                case GgufType.F32: BinaryPrimitives.WriteSingleLittleEndian(to, from[0]); break;
                case GgufType.F16: BinaryPrimitives.WriteHalfLittleEndian(to, (Half)from[0]); break;
                case GgufType.BF16: BinaryPrimitives.WriteUInt16LittleEndian(to, BFloat16(from[0])); break;
                case GgufType.Q8_0: EncodeQ8(from, to); break;
                case GgufType.Q4_0: EncodeQ4(from, to); break;
                case GgufType.Q4_K: SuperBlocks.EncodeQ4(from, to); break;
                default: SuperBlocks.EncodeQ6(from, to); break;
            }
        }
    }

    /// <summary>The 16-bit float at the start of some bytes.</summary>
    public static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    /// <summary>The nearest bfloat16, ties to even.</summary>
    private static ushort BFloat16(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return float.IsNaN(number) ? (ushort)((bits >> 16) | 64) : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    private static void DecodeQ8(ReadOnlySpan<byte> from, Span<float> to)
    {
        var scale = Half(from);
        for (var i = 0; i < 32; i++) to[i] = (sbyte)from[2 + i] * scale;
    }

    private static void EncodeQ8(ReadOnlySpan<float> from, Span<byte> to)
    {
        var largest = 0f;
        foreach (var number in from) largest = Math.Max(largest, Math.Abs(number));
        var scale = largest / 127;
        BinaryPrimitives.WriteHalfLittleEndian(to, (Half)scale);
        for (var i = 0; i < 32; i++)
            to[2 + i] = (byte)(sbyte)(scale == 0 ? 0 : MathF.Round(from[i] * (1 / scale), MidpointRounding.AwayFromZero));
    }

    /// <summary>The first 16 numbers lie in the lower halves of the bytes, the other 16 in the upper halves.</summary>
    private static void DecodeQ4(ReadOnlySpan<byte> from, Span<float> to)
    {
        var scale = Half(from);
        for (var i = 0; i < 16; i++)
        {
            to[i] = ((from[2 + i] & 15) - 8) * scale;
            to[16 + i] = ((from[2 + i] >> 4) - 8) * scale;
        }
    }

    private static void EncodeQ4(ReadOnlySpan<float> from, Span<byte> to)
    {
        var largest = 0f;   // with its sign: it becomes code 0, which stands for -8
        foreach (var number in from)
            if (Math.Abs(number) > Math.Abs(largest)) largest = number;
        var scale = largest / -8;
        BinaryPrimitives.WriteHalfLittleEndian(to, (Half)scale);
        var inverse = scale == 0 ? 0 : 1 / scale;
        for (var i = 0; i < 16; i++) to[2 + i] = (byte)(Code(from[i]) | (Code(from[16 + i]) << 4));
        int Code(float number) => Math.Min(15, (int)((number * inverse) + 8.5f));
    }
}
