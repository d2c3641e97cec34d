namespace ResearchKit.Native;

/// <summary>Reads one row of a weight off its panels.</summary>
internal static unsafe class CodeRow
{
    /// <summary>Writes (code − zero point) · scale, or value · scale, for each input.</summary>
    /// <param name="job">The weight.</param>
    /// <param name="values">The values of a table's codes; empty for even steps.</param>
    /// <param name="output">The row.</param>
    /// <param name="y">[in].</param>
    public static void Dequantize(in IntegerJob job, ReadOnlySpan<float> values, int output, float* y)
    {
        var (panel, place) = (output / IntegerJob.PanelWidth, output % IntegerJob.PanelWidth);
        var isBytes = job.Storage == CodeStorage.Bytes;
        var codes = job.Codes + ((long)panel * job.Inputs * IntegerJob.PanelWidth / (isBytes ? 1 : 2));
        var ofGroup = job.InputWidth / job.Groups;
        for (var group = 0; group < job.Groups; group++)
        {
            var at = ((((long)panel * job.Groups) + group) * IntegerJob.PanelWidth) + place;
            var (scale, zero) = (job.Scales[at], job.Zeros is null ? job.Zero : job.Zeros[at]);
            for (var i = group * ofGroup; i < (group + 1) * ofGroup; i++)
            {
                var code = isBytes ? Byte(codes, place, i) : Nibble(codes, place, i);
                y[i] = (values.IsEmpty ? code - zero : values[code]) * scale;
            }
        }
    }

    private static int Byte(byte* codes, int place, int input) =>
        ((sbyte*)codes)[(input / 2 * 2 * IntegerJob.PanelWidth) + (2 * place) + (input % 2)];

    /// <summary>See <see cref="CodePanels"/> for the order of nibbles.</summary>
    private static int Nibble(byte* codes, int place, int input)
    {
        var at = (input / 4 * 32) + (place / 4 % 2 * 16) + (place / 8 * 8) + (place % 4 * 2) + (input % 2);
        return input / 2 % 2 == 0 ? codes[at] & 15 : codes[at] >> 4;
    }
}
