using System.Globalization;
using System.Text.RegularExpressions;

namespace ResearchKit.Data;

/// <summary>How the cells of a table are read as numbers.</summary>
public static partial class CsvNumbers
{
    /// <summary>What stands for a missing value: what pandas takes for one, and the ? of the UCI data sets.</summary>
    private static readonly HashSet<string> Missing = new(StringComparer.OrdinalIgnoreCase)
    {
        "", "?", "NA", "N/A", "#N/A", "<NA>", "NaN", "-NaN", "null", "None", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
    };

    /// <summary>Whether a cell stands for a missing value: empty, NA, N/A, NaN, null, None, ? and the like, in any case.</summary>
    public static bool IsMissing(string cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        return Missing.Contains(cell.Trim());
    }

    /// <summary>Whether a cell is a number written with a decimal point and without thousands.</summary>
    internal static bool IsPlain(string cell) => Plain(cell, out _);

    /// <summary>The cells as numbers, NaN where one is missing; null where one is not a number.</summary>
    /// <param name="cells">All cells of a column, which are written alike.</param>
    /// <param name="separator">Between the cells of the table; a semicolon makes 1,234 a decimal.</param>
    internal static double[]? Parse(IReadOnlyList<string> cells, char separator)
    {
        var present = cells.Where(cell => !IsMissing(cell)).Select(cell => cell.Trim()).ToList();
        Func<string, string>? plain = present.All(IsPlain) ? cell => cell
            : separator != ';' && present.All(cell => IsPlain(cell) || Thousands().IsMatch(cell)) ? cell => cell.Replace(",", "", StringComparison.Ordinal)
            : present.All(cell => DecimalComma().IsMatch(cell)) ? cell => cell.Replace(".", "", StringComparison.Ordinal).Replace(',', '.')
            : present.All(cell => IsPlain(cell) || Thousands().IsMatch(cell)) ? cell => cell.Replace(",", "", StringComparison.Ordinal)
            : null;
        return plain is null ? null : [.. cells.Select(cell => IsMissing(cell) || !Plain(plain(cell.Trim()), out var value) ? double.NaN : value)];
    }

    private static bool Plain(string cell, out double value) => double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <summary>1,234 and 1,234,567.8.</summary>
    [GeneratedRegex(@"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")]
    private static partial Regex Thousands();

    /// <summary>12 and 1234,5 and 1.234,5.</summary>
    [GeneratedRegex(@"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$")]
    private static partial Regex DecimalComma();
}
