using System.Globalization;
using System.Text;

namespace ResearchKit.Data.Unicode;

/// <summary>
/// Code points of texts and their properties in Unicode 14, the version that the reference tokenizers use.
/// </summary>
/// <remarks>
/// .NET has a later version of Unicode. Characters that Unicode 14 lacks count as unassigned, so that token ids
/// do not change with the version of .NET.
/// </remarks>
internal static class CodePoints
{
    /// <summary>Returns the code points of a text; an unpaired surrogate counts as a code point.</summary>
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
        : point == 0x1171E ? UnicodeCategory.NonSpacingMark   // became a spacing mark in Unicode 15.1
        : CharUnicodeInfo.GetUnicodeCategory(point);

    /// <summary>Returns whether the category begins with L, in .NET's version of Unicode.</summary>
    public static bool IsLetter(int point) => CharUnicodeInfo.GetUnicodeCategory(point) <= UnicodeCategory.OtherLetter;

    /// <summary>Returns whether the category begins with N, in .NET's version of Unicode.</summary>
    public static bool IsNumber(int point) =>
        CharUnicodeInfo.GetUnicodeCategory(point)
            is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>
    /// Returns whether the category begins with C: control, format, surrogate, private use or unassigned.
    /// </summary>
    public static bool IsOther(int point) => Category(point) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    /// <summary>Returns whether the category begins with P.</summary>
    public static bool IsPunctuation(int point) =>
        Category(point) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    public static bool IsNonSpacingMark(int point) => Category(point) == UnicodeCategory.NonSpacingMark;

    public static bool IsSpaceSeparator(int point) => Category(point) == UnicodeCategory.SpaceSeparator;

    /// <summary>Returns whether the character has the White_Space property.</summary>
    public static bool IsWhiteSpace(int point) =>
        point is >= 0x09 and <= 0x0D or 0x85 or 0x2028 or 0x2029 || IsSpaceSeparator(point);

    /// <summary>Returns whether a regular expression's \w matches the character: letters, marks, digits and connectors.</summary>
    public static bool IsWordCharacter(int point) => CharUnicodeInfo.GetUnicodeCategory(point) is <= UnicodeCategory.LetterNumber
        or UnicodeCategory.ConnectorPunctuation || point is 0x200C or 0x200D or >= 0x24B6 and <= 0x24E9;

    /// <summary>Returns the lower case of a character by the full mapping, regardless of context.</summary>
    public static IEnumerable<int> Lower(int point) => point == 0x130 ? [0x69, 0x307]
        : Rune.IsValid(point) && CharacterDatabase.IsAssigned(point) ? [Rune.ToLowerInvariant(new Rune(point)).Value] : [point];
}
