using System.Globalization;
using System.Numerics;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>Values that the oldest pickle protocol writes as a line of text.</summary>
internal static class PickleLines
{
    private const int LongestNumber = 400;   // digits; more are kept as a text, because converting them is slow

    /// <summary>Reads a number or, as <c>00</c> and <c>01</c>, a bool.</summary>
    public static object Integer(PickleInput input) => input.Line(int.MaxValue) switch
    {
        "00" => false,
        "01" => true,
        var line => Parse(input, line),
    };

    /// <summary>Reads a number that ends in <c>L</c>.</summary>
    public static object Long(PickleInput input) => Parse(input, input.Line(int.MaxValue).TrimEnd('L'));

    /// <summary>Reads a floating-point number.</summary>
    public static double Float(PickleInput input)
    {
        var line = input.Line();
        return double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : line switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            "nan" => double.NaN,
            _ => throw input.Bad($"'{line}' is not a number"),
        };
    }

    /// <summary>Reads a place of the memo.</summary>
    public static long Place(PickleInput input)
    {
        var line = input.Line();
        return long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
            : throw input.Bad($"'{line}' is not a place of the memo");
    }

    /// <summary>
    /// Reads a text, without quotes; escapes in it stay as they are written, except for quotes and backslashes.
    /// </summary>
    public static string Text(PickleInput input)
    {
        var line = input.Line(int.MaxValue);
        if (line.Length >= 2 && line[0] == line[^1] && line[0] is '\'' or '"') line = line[1..^1];
        return line.Replace("\\'", "'", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
    }

    private static object Parse(PickleInput input, string line)
    {
        if (line.Length > LongestNumber) return new PickledPlain("a number");
        if (long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small)) return small;
        return BigInteger.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value
            : throw input.Bad($"'{line}' is not a number");
    }
}
