using System.Globalization;
using System.Text.RegularExpressions;

namespace ResearchKit.Data;

/// <summary>Reads the cells of a table as numbers.</summary>
public static partial class CsvNumbers
{
    /// <summary>Texts that stand for a missing value: those of pandas, and the ? of the UCI data sets.</summary>
    private static readonly HashSet<string> Missing = new(StringComparer.OrdinalIgnoreCase)
    {
        "", "?", "NA", "N/A", "#N/A", "<NA>", "NaN", "-NaN", "null", "None", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
    };

    /// <summary>
    /// Returns whether a cell stands for a missing value: empty, NA, N/A, NaN, null, None, ? and the like, in any
    /// case.
    /// </summary>
    public static bool IsMissing(string cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        return Missing.Contains(cell.Trim());
    }

    /// <summary>Returns whether a cell is a number with a decimal point and without thousands separators.</summary>
    internal static bool IsPlain(string cell) => Plain(cell, out _);

    /// <summary>
    /// Returns the cells as numbers, with NaN for missing values; null if a cell is not a number.
    /// </summary>
    /// <param name="cells">All cells of a column, which must have the same number format.</param>
    /// <param name="separator">
    /// Separator between the cells of the table; a semicolon means that the comma in 1,234 is a decimal comma.
    /// </param>
    internal static double[]? Parse(IReadOnlyList<string> cells, char separator)
    {
        var present = cells.Where(cell => !IsMissing(cell)).Select(cell => cell.Trim()).ToList();
        Func<string, string>? plain = present.All(IsPlain) ? cell => cell
            : separator != ';' && present.All(cell => IsPlain(cell) || Thousands().IsMatch(cell)) ? cell =>
                cell.Replace(",", "", StringComparison.Ordinal)
            : present.All(cell => DecimalComma().IsMatch(cell)) ? cell =>
                cell.Replace(".", "", StringComparison.Ordinal).Replace(',', '.')
            : present.All(cell => IsPlain(cell) || Thousands().IsMatch(cell)) ? cell =>
                cell.Replace(",", "", StringComparison.Ordinal)
            : null;
        return plain is null
            ? null : [.. cells.Select(cell => IsMissing(cell) || !Plain(plain(cell.Trim()), out var value) ? double.NaN : value)];
    }

    private static bool Plain(string cell, out double value) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <summary>Matches numbers with thousands separators: 1,234 and 1,234,567.8.</summary>
    [GeneratedRegex(@"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")]
    private static partial Regex Thousands();

    /// <summary>Matches numbers with a decimal comma: 12, 1234,5 and 1.234,5.</summary>
    [GeneratedRegex(@"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$")]
    private static partial Regex DecimalComma();
}
