using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace ResearchKit.Mermaid.Lettering;

/// <summary>Lines of text with their size in pixels.</summary>
/// <param name="Lines">The lines, as plain text.</param>
/// <param name="Size">The font size.</param>
/// <param name="IsBold">True for bold text.</param>
internal sealed partial record TextBlock(IReadOnlyList<string> Lines, double Size = TextBlock.Normal, bool IsBold = false)
{
    public const double Normal = 14;
    public const double Small = 12.5;
    public const double Heading = 17;
    private const double UsualWrap = 260;
    private const double HeadingWrap = 640;
    private const double Longest = 420;

    public double Width => Lines.Count == 0 ? 0 : Lines.Max(line => TextWidth.Of(line, Size, IsBold));

    public double LineHeight => Size * 1.4;

    public double Height => Lines.Count * LineHeight;

    public bool IsEmpty => Lines.All(string.IsNullOrWhiteSpace);

    /// <summary>The text in one line, for screen readers.</summary>
    public string Spoken => string.Join(' ', Lines).Trim();

    /// <summary>
    /// Parses a label: <c>&lt;br/&gt;</c> breaks a line, <c>#quot;</c> and the like are characters, long lines are
    /// wrapped.
    /// </summary>
    public static TextBlock Of(string label, double size = Normal, bool isBold = false, double wrap = UsualWrap)
    {
        var text = label.Trim();
        if (text.Length > 1 && text[0] == '`' && text[^1] == '`') text = text[1..^1].Replace("**", "", StringComparison.Ordinal);
        var lines = Break().Split(text).SelectMany(line => Wrapped(Decoded(line).Trim(), size, isBold, wrap));
        return new TextBlock([.. lines], size, isBold);
    }

    /// <summary>Creates the text of a diagram's title.</summary>
    public static TextBlock Title(string words) => Of(words, Heading, isBold: true, HeadingWrap);

    [GeneratedRegex(@"<\s*br\s*/?\s*>|\\n|\n", RegexOptions.IgnoreCase)]
    private static partial Regex Break();

    [GeneratedRegex(@"[#&](?:#?[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});")]
    private static partial Regex Entity();

    private static string Decoded(string text)
    {
        var decoded = Entity().Replace(text, match =>
        {
            var name = match.Value[1..];
            var known = WebUtility.HtmlDecode(char.IsAsciiDigit(name[0]) ? $"&#{name}" : $"&{name}");
            return known.StartsWith('&') && known.Length > 1 ? match.Value : known;
        });
        return new string([.. decoded.Select(c => char.IsControl(c) ? ' ' : c)]);
    }

    private static IEnumerable<string> Wrapped(string line, double size, bool isBold, double wrap)
    {
        if (TextWidth.Of(line, size, isBold) <= wrap)
        {
            yield return line;
            yield break;
        }
        var current = new StringBuilder();
        foreach (var word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(word => Cut(word, size)))
        {
            if (current.Length > 0 && TextWidth.Of($"{current} {word}", size, isBold) > wrap)
            {
                yield return current.ToString();
                current.Clear();
            }
            if (current.Length > 0) current.Append(' ');
            current.Append(word);
        }
        if (current.Length > 0) yield return current.ToString();
    }

    private static IEnumerable<string> Cut(string word, double size)
    {
        var (piece, width) = (new StringBuilder(), 0.0);
        foreach (var rune in word.EnumerateRunes())
        {
            var next = TextWidth.Of(rune.ToString(), size);
            if (width + next > Longest)
            {
                yield return piece.ToString();
                piece.Clear();
                width = 0;
            }
            piece.Append(rune.ToString());
            width += next;
        }
        yield return piece.ToString();
    }
}
