using System.Buffers.Binary;

namespace ResearchKit.Checkpoints;

/// <summary>GGUF's blocks of 256 numbers, whose parts have scales of a few bits.</summary>
internal static class SuperBlocks
{
    private const int Part4 = 32, Part6 = 16;   // numbers that share a small scale

    /// <summary>
    /// 144 bytes: scale and minimum as 16-bit floats, 12 bytes of eight 6-bit scales and minima, 128 bytes of codes.
    /// </summary>
    public static void DecodeQ4(ReadOnlySpan<byte> from, Span<float> to)
    {
        var (scale, minimum) = (GgufBlocks.Half(from), GgufBlocks.Half(from[2..]));
        var small = from.Slice(4, 12);
        var codes = from[16..];
        for (var part = 0; part < 8; part++)
        {
            var (factor, offset) = Scales(small, part);
            for (var i = 0; i < Part4; i++)
            {
                var pair = codes[(part / 2 * Part4) + i];
                to[(part * Part4) + i] = (scale * factor * (part % 2 == 0 ? pair & 15 : pair >> 4)) - (minimum * offset);
            }
        }
    }

    /// <summary>
    /// Numbers are factor × code − offset with codes 0 to 15; factor and offset are multiples of the block's two scales.
    /// </summary>
    public static void EncodeQ4(ReadOnlySpan<float> from, Span<byte> to)
    {
        to.Clear();
        Span<float> factors = stackalloc float[8], offsets = stackalloc float[8];
        for (var part = 0; part < 8; part++)
            (factors[part], offsets[part]) = ScaleSearch.WithOffset(from.Slice(part * Part4, Part4), 15);
        var (largest, deepest) = (Largest(factors), Largest(offsets));
        var (scale, minimum) = (Rounded(largest / 63), Rounded(deepest / 63));
        BinaryPrimitives.WriteHalfLittleEndian(to, (Half)scale);
        BinaryPrimitives.WriteHalfLittleEndian(to[2..], (Half)minimum);
        for (var part = 0; part < 8; part++)
        {
            var (factor, offset) = (Share(factors[part], largest), Share(offsets[part], deepest));
            SetScales(to.Slice(4, 12), part, factor, offset);
            for (var i = 0; i < Part4; i++)
            {
                var code = Code(from[(part * Part4) + i] + (minimum * offset), scale * factor, 15);
                to[16 + (part / 2 * Part4) + i] |= (byte)(part % 2 == 0 ? code : code << 4);
            }
        }
    }

    /// <summary>210 bytes: lower 4 bits of the codes, upper 2 bits, sixteen 8-bit scales, and the scale of these.</summary>
    public static void DecodeQ6(ReadOnlySpan<byte> from, Span<float> to)
    {
        var scale = GgufBlocks.Half(from[208..]);
        for (var i = 0; i < 256; i++)
        {
            var (low, lowShift, high, highShift) = Places6(i);
            var code = ((from[low] >> lowShift) & 15) | (((from[128 + high] >> highShift) & 3) << 4);
            to[i] = scale * (sbyte)from[192 + (i / Part6)] * (code - 32);
        }
    }

    /// <summary>Numbers are scale × code with codes −32 to 31; a part's scale is a multiple of the block's.</summary>
    public static void EncodeQ6(ReadOnlySpan<float> from, Span<byte> to)
    {
        to.Clear();
        Span<float> scales = stackalloc float[16];
        for (var part = 0; part < 16; part++) scales[part] = ScaleSearch.Alone(from.Slice(part * Part6, Part6), 32);
        var extreme = 0f;
        foreach (var one in scales)
            if (Math.Abs(one) > Math.Abs(extreme)) extreme = one;
        var inverse = extreme == 0 ? 0 : -128 / extreme;
        var scale = inverse == 0 ? 0 : Rounded(1 / inverse);
        BinaryPrimitives.WriteHalfLittleEndian(to[208..], (Half)scale);
        for (var part = 0; part < 16; part++)
        {
            var factor = Math.Clamp((int)MathF.Round(inverse * scales[part]), -128, 127);
            to[192 + part] = (byte)(sbyte)factor;
            for (var i = part * Part6; i < (part + 1) * Part6; i++)
            {
                var step = scale * factor;
                var code = (step == 0 ? 0 : Math.Clamp((int)MathF.Round(from[i] / step), -32, 31)) + 32;
                var (low, lowShift, high, highShift) = Places6(i);
                to[low] |= (byte)((code & 15) << lowShift);
                to[128 + high] |= (byte)((code >> 4) << highShift);
            }
        }
    }

    /// <summary>
    /// Where a 6-bit code lies: each half of 128 numbers has four runs of 32, which share 64 bytes of lower and 32 of upper bits.
    /// </summary>
    private static (int Low, int LowShift, int High, int HighShift) Places6(int index)
    {
        var (half, inHalf) = (index / 128, index % 128);
        var (run, place) = (inHalf / 32, inHalf % 32);
        return ((half * 64) + (run % 2 * 32) + place, run / 2 * 4, (half * 32) + place, run * 2);
    }

    /// <summary>
    /// The 6-bit scale and minimum of a part: the upper two bits of the last four lie in the bytes of the first four.
    /// </summary>
    private static (int Factor, int Offset) Scales(ReadOnlySpan<byte> small, int part) => part < 4
        ? (small[part] & 63, small[part + 4] & 63)
        : ((small[part + 4] & 15) | (small[part - 4] >> 6 << 4), (small[part + 4] >> 4) | (small[part] >> 6 << 4));

    private static void SetScales(Span<byte> small, int part, int factor, int offset)
    {
        if (part < 4)
        {
            small[part] |= (byte)factor;
            small[part + 4] |= (byte)offset;
            return;
        }
        small[part + 4] |= (byte)((factor & 15) | ((offset & 15) << 4));
        small[part - 4] |= (byte)(factor >> 4 << 6);
        small[part] |= (byte)(offset >> 4 << 6);
    }

    private static float Largest(ReadOnlySpan<float> numbers)
    {
        var largest = 0f;
        foreach (var number in numbers) largest = Math.Max(largest, number);
        return largest;
    }

    private static float Rounded(float scale) => (float)(Half)scale;

    /// <summary>A scale in 63rds of the largest.</summary>
    private static int Share(float scale, float largest) =>
        largest > 0 ? Math.Min(63, (int)MathF.Round(63 / largest * scale)) : 0;

    private static int Code(float number, float step, int highest) =>
        step == 0 ? 0 : Math.Clamp((int)MathF.Round(number / step), 0, highest);
}
