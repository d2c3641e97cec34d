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
    /// <param name="decimalComma">Whether the comma in 1,234 is a decimal comma; null if nothing says so.</param>
    internal static double[]? Parse(IReadOnlyList<string> cells, bool? decimalComma)
    {
        var ungrouped = cells.Select(cell => IsMissing(cell) ? null : Ungrouped(cell.Trim())).ToList();
        var present = ungrouped.Where(cell => cell is not null).Select(cell => cell!).ToList();
        return Format(present, decimalComma) is not { } plain ? null
            : [.. ungrouped.Select(cell => cell is null || !Plain(plain(cell), out var value) ? double.NaN : value)];
    }

    /// <summary>Returns how the cells of a column become plain numbers; null if one is no number.</summary>
    private static Func<string, string>? Format(List<string> cells, bool? decimalComma)
    {
        string Point(string cell) =>
            cell.Replace(".", "", StringComparison.Ordinal).Replace(',', '.');
        string NoCommas(string cell) => cell.Replace(",", "", StringComparison.Ordinal);
        var isPlain = cells.All(IsPlain);
        if (isPlain && (decimalComma != true || !cells.All(cell => GroupedByPoint().IsMatch(cell)))) return cell => cell;
        var isThousands = cells.All(cell => IsPlain(cell) || Thousands().IsMatch(cell));
        if (isThousands && !isPlain && decimalComma != true) return NoCommas;
        if (cells.All(cell => DecimalComma().IsMatch(cell))) return Point;
        return isThousands ? NoCommas : null;
    }

    /// <summary>
    /// Returns whether the numbers of a table have decimal commas: its columns say so, else a semicolon between its cells; null
    /// if nothing does.
    /// </summary>
    internal static bool? HasDecimalComma(IEnumerable<IReadOnlyList<string>> rows, char separator)
    {
        var (commas, points) = (false, false);
        foreach (var cell in rows.SelectMany(row => row))
        {
            commas |= cell.Contains(',') && DecimalComma().IsMatch(cell) && !Thousands().IsMatch(cell);
            points |= cell.Contains('.') && IsPlain(cell) && !GroupedByPoint().IsMatch(cell);
            if (commas && points) break;
        }
        return commas != points ? commas : separator == ';' ? true : null;
    }

    /// <summary>Returns the distinct cells that are no numbers in any format, and how many cells are numbers.</summary>
    internal static (string[] Others, int Numbers) Slips(IReadOnlyList<string> present)
    {
        bool IsNumber(string cell) => Ungrouped(cell) is var bare && (IsPlain(bare) || Thousands().IsMatch(bare)
            || DecimalComma().IsMatch(bare));
        return ([.. present.Where(cell => !IsNumber(cell)).Distinct()], present.Count(IsNumber));
    }

    /// <summary>A number without spaces or apostrophes between groups of three digits, and with the minus of ASCII.</summary>
    private static string Ungrouped(string cell)
    {
        var signed = cell.Replace('\u2212', '-');
        return Groups().IsMatch(signed) ? string.Concat(signed.Where(letter => letter is ',' or '.' or '+' or '-'
            || char.IsAsciiDigit(letter)))
            : signed;
    }

    private static bool Plain(string cell, out double value) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <summary>Matches numbers with thousands separators: 1,234 and 1,234,567.8.</summary>
    [GeneratedRegex(@"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")]
    private static partial Regex Thousands();

    /// <summary>Matches numbers with a decimal comma: 12, 1234,5 and 1.234,5.</summary>
    [GeneratedRegex(@"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$")]
    private static partial Regex DecimalComma();

    /// <summary>Matches numbers that a point may divide into groups: 1.234 and 12.</summary>
    [GeneratedRegex(@"^[+-]?\d{1,3}(\.\d{3})*$")]
    private static partial Regex GroupedByPoint();

    /// <summary>Matches numbers with a space or an apostrophe between groups: 1 234,5 and 1'234.5.</summary>
    [GeneratedRegex(@"^[+-]?\d{1,3}([ \u00A0\u202F'\u2019]\d{3})+([.,]\d+)?$")]
    private static partial Regex Groups();
}
