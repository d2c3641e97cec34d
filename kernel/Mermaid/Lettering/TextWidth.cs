using System.Globalization;
using System.Text;

namespace ResearchKit.Mermaid.Lettering;

/// <summary>
/// Estimates the width of text without font metrics; the estimate is rather too wide than too narrow.
/// </summary>
internal static class TextWidth
{
    /// <summary>
    /// Returns the width in pixels at a font size, based on DejaVu Sans, the widest of the usual fonts.
    /// </summary>
    public static double Of(string text, double size, bool isBold = false)
    {
        var width = 0.0;
        foreach (var rune in text.EnumerateRunes()) width += Of(rune);
        return width * size * (isBold ? 1.1 : 1);
    }

    private static double Of(Rune rune)
    {
        if (rune.Value < 0x80) return OfAscii((char)rune.Value);
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.Format)
            return 0;
        if (rune.Value >= 0x1F000) return 1.35;                                  // emoji
        return rune.Value >= 0x1100 ? 1.08 : 0.74;                               // East Asian and symbols; other alphabets
    }

    private static double OfAscii(char c) => c switch
    {
        ' ' or '.' or ',' or ':' or ';' or '|' or '/' or '\\' => 0.35,
        'i' or 'j' or 'l' or '\'' or 'I' => 0.32,
        '(' or ')' or '[' or ']' or '!' or 'f' or 't' or 'r' or '-' => 0.42,
        'm' or 'M' or 'W' or 'w' or '%' or '@' or '#' or '<' or '>' or '+' or '=' or '~' or '&' => 0.95,
        >= 'A' and <= 'Z' => 0.74,
        _ => 0.64,
    };
}
