using System.Globalization;

namespace ResearchKit.Formatting;

/// <summary>Formats numbers for readers: short, and in the invariant culture.</summary>
internal static class Numbers
{
    /// <summary>Formats with about four significant digits: 0.01235, 123.5, 1.2e-07.</summary>
    public static string Short(double value)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "∞" : "-∞";
        var size = Math.Abs(value);
        if (size == 0) return "0";
        if (size is < 1e-3 or >= 1e6) return value.ToString("0.###e0", CultureInfo.InvariantCulture);
        var digits = Math.Clamp(3 - (int)Math.Floor(Math.Log10(size)), 0, 6);
        return Math.Round(value, digits).ToString("0.######", CultureInfo.InvariantCulture);
    }

    /// <summary>Formats a whole number with thousands separators: 1,234,567.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Formats a number with its noun: 1 head, 1,234 heads.</summary>
    public static string Count(long value, string noun) => $"{Count(value)} {noun}{(value == 1 ? "" : "s")}";

    /// <summary>Formats a whole number, abbreviated from ten thousand on: 1,234; 10.9 M; 1.24 G.</summary>
    public static string Scaled(long value) => Math.Abs(value) < 10_000 ? Count(value) : Prefixed(value);

    /// <summary>Formats a memory size, with prefixes in powers of 1000.</summary>
    public static string Bytes(long bytes) => bytes < 1000 ? $"{Count(bytes)} B" : $"{Prefixed(bytes)}B";

    /// <summary>Formats a duration: 0:43, 12:05, 1:02:03.</summary>
    public static string Clock(TimeSpan time) => time < TimeSpan.FromHours(1)
        ? time.ToString(@"m\:ss", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}");

    /// <summary>Formats the shape of a tensor: [2 × 3 × 4].</summary>
    public static string Shape(IEnumerable<long> sizes) =>
        $"[{string.Join(" × ", sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)))}]";

    private static string Prefixed(double value)
    {
        var prefix = 0;
        for (; Math.Abs(value) >= 999.5 && prefix < 5; prefix++) value /= 1000;
        var digits = Math.Abs(value) switch { < 9.995 => "0.##", < 99.95 => "0.#", _ => "0" };
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {" kMGTP"[prefix]}";
    }
}
