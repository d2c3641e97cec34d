using System.Globalization;
using System.Text;

namespace ResearchKit.Data.Unicode;

/// <summary>Texts as code points, and what Unicode 14 says about each: what the reference tokenizers go by.</summary>
/// <remarks>
/// .NET knows a later Unicode; a character that 14 does not have is unassigned here, so that ids do not change with .NET.
/// </remarks>
internal static class CodePoints
{
    /// <summary>The code points of a text; a surrogate without its partner is one of its own.</summary>
    public static List<int> Of(string text)
    {
        var points = new List<int>(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            var pair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
            points.Add(pair ? char.ConvertToUtf32(text[at], text[at + 1]) : text[at]);
            if (pair) at++;
        }
        return points;
    }

    public static string Text(IEnumerable<int> points)
    {
        var text = new StringBuilder();
        foreach (var point in points) Append(text, point);
        return text.ToString();
    }

    public static void Append(StringBuilder text, int point)
    {
        if (point < 0x10000) text.Append((char)point);
        else text.Append(new Rune(point).ToString());
    }

    public static UnicodeCategory Category(int point) => !CharacterDatabase.IsAssigned(point) ? UnicodeCategory.OtherNotAssigned
        : point == 0x1171E ? UnicodeCategory.NonSpacingMark   // a spacing mark since Unicode 15.1
        : CharUnicodeInfo.GetUnicodeCategory(point);

    /// <summary>A category that begins with L, by the Unicode of .NET.</summary>
    public static bool IsLetter(int point) => CharUnicodeInfo.GetUnicodeCategory(point) <= UnicodeCategory.OtherLetter;

    /// <summary>A category that begins with N, by the Unicode of .NET.</summary>
    public static bool IsNumber(int point) =>
        CharUnicodeInfo.GetUnicodeCategory(point)
            is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>A category that begins with C: controls, formats, surrogates, private use and unassigned.</summary>
    public static bool IsOther(int point) => Category(point) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    /// <summary>A category that begins with P.</summary>
    public static bool IsPunctuation(int point) =>
        Category(point) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    public static bool IsNonSpacingMark(int point) => Category(point) == UnicodeCategory.NonSpacingMark;

    public static bool IsSpaceSeparator(int point) => Category(point) == UnicodeCategory.SpaceSeparator;

    /// <summary>The White_Space property.</summary>
    public static bool IsWhiteSpace(int point) =>
        point is >= 0x09 and <= 0x0D or 0x85 or 0x2028 or 0x2029 || IsSpaceSeparator(point);

    /// <summary>Lower case of one character with the full mapping, without regard to its neighbours.</summary>
    public static IEnumerable<int> Lower(int point) => point == 0x130 ? [0x69, 0x307]
        : Rune.IsValid(point) && CharacterDatabase.IsAssigned(point) ? [Rune.ToLowerInvariant(new Rune(point)).Value] : [point];
}
