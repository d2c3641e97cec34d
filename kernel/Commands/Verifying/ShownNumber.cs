using System.Globalization;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>A number that was found in a text.</summary>
/// <param name="Text">The number as it is written.</param>
/// <param name="Value">The value of the number.</param>
/// <param name="LastPlace">The value of one unit in the last digit; 0 for an integer.</param>
internal sealed partial record ShownNumber(string Text, double Value, double LastPlace)
{
    /// <summary>
    /// Returns the numbers in a line, and the line with a placeholder for each number and with white space
    /// normalized.
    /// </summary>
    public static (string Words, IReadOnlyList<ShownNumber> Numbers) Split(string line)
    {
        var numbers = Number().Matches(line).Select(match => Of(match)).ToList();
        return (Blanks().Replace(Number().Replace(line, "<n>"), " ").Trim(), numbers);
    }

    private static ShownNumber Of(Match match)
    {
        var text = match.Value.Replace('−', '-').Replace(",", "", StringComparison.Ordinal);
        var (decimals, exponent) = (match.Groups["decimals"], match.Groups["exponent"]);
        var power = exponent.Success
            && int.TryParse(exponent.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var told) ? told : 0;
        var isWhole = !decimals.Success && !exponent.Success;
        return new ShownNumber(match.Value, double.Parse(text, CultureInfo.InvariantCulture),
            isWhole ? 0 : Math.Pow(10, power - decimals.Length));
    }

    [GeneratedRegex(
        @"(?:(?<![\p{L}\p{N}_.)\]])[-+−])?(?<![\p{L}_.]|\d)(?:\d{1,3}(?:,\d{3})+(?!\d)|"
        + @"\d+)(?:\.(?<decimals>\d+))?(?:[eE](?<exponent>[-+]?\d+)(?![\p{L}\d]))?")]
    private static partial Regex Number();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
