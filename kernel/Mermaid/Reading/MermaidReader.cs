using System.Text.RegularExpressions;

namespace ResearchKit.Mermaid.Reading;

/// <summary>Scans the text of a diagram and creates syntax errors with line and column.</summary>
internal sealed class MermaidReader
{
    private const int FoundLength = 24;
    private readonly string original;
    private readonly string text;

    public MermaidReader(string source)
    {
        original = source.ReplaceLineEndings("\n");
        (text, Title) = SourceComments.Blanked(original);
    }

    /// <summary>The title of the diagram, from its front matter or a title statement.</summary>
    public string? Title { get; set; }

    /// <summary>The title for screen readers (<c>accTitle</c>); null for none.</summary>
    public string? SpokenTitle { get; private set; }

    /// <summary>The author's description for screen readers (<c>accDescr</c>); null for none.</summary>
    public string? Description { get; private set; }

    public int Position { get; set; }

    public bool IsAtEnd => Position >= text.Length;

    /// <summary>The current character; '\0' at the end.</summary>
    public char Current => Ahead(0);

    public bool IsAtLineEnd => IsAtEnd || Current == '\n';

    public char Ahead(int count) => Position + count < text.Length ? text[Position + count] : '\0';

    public bool Starts(string expected) => string.CompareOrdinal(text, Position, expected, 0, expected.Length) == 0;

    public bool Take(string expected)
    {
        if (!Starts(expected)) return false;
        Position += expected.Length;
        return true;
    }

    /// <summary>Takes a keyword, if it is a whole word at the current position.</summary>
    public bool TakeKeyword(string word)
    {
        if (!Starts(word) || IsNamePart(Ahead(word.Length))) return false;
        Position += word.Length;
        SkipSpaces();
        return true;
    }

    /// <summary>
    /// Takes a match of a pattern that begins with <c>\G</c>; returns null if it does not match here.
    /// </summary>
    public Match? Take(Regex pattern)
    {
        var match = pattern.Match(text, Position);
        if (!match.Success) return null;
        Position += match.Length;
        return match;
    }

    /// <summary>
    /// Takes a name; throws if there is none. A name ends before <paramref name="arrow"/>, which could be mistaken
    /// for a part of it.
    /// </summary>
    public string TakeName(string what, string? arrow = null)
    {
        var start = Position;
        while (!IsAtEnd && (IsNamePart(Current) || (IsInnerMark() && !(arrow is not null && Starts(arrow))))) Position++;
        return Position > start ? text[start..Position] : throw Expected(what);
    }

    /// <summary>
    /// Takes the text up to a mark, and the mark; the mark must be on the same line unless
    /// <paramref name="mayBreak"/>.
    /// </summary>
    public string TakeUntil(string mark, bool mayBreak = false)
    {
        var at = text.IndexOf(mark, Position, StringComparison.Ordinal);
        var line = text.IndexOf('\n', Position);
        if (at < 0 || (!mayBreak && line >= 0 && line < at))
        {
            Position = at < 0 && mayBreak || line < 0 ? text.Length : line;
            throw Expected($"\"{mark}\"");
        }
        var taken = text[Position..at];
        Position = at + mark.Length;
        return taken;
    }

    /// <summary>Takes the rest of the line.</summary>
    public string TakeLine()
    {
        var start = Position;
        while (!IsAtLineEnd) Position++;
        return text[start..Position].Trim();
    }

    public void SkipSpaces()
    {
        while (Current is ' ' or '\t' or '\u00a0') Position++;
    }

    /// <summary>Skips to the next statement.</summary>
    public void SkipBlank()
    {
        while (!IsAtEnd && (char.IsWhiteSpace(Current) || Current == ';')) Position++;
    }

    /// <summary>Takes the end of a statement; throws if more text follows.</summary>
    public void EndStatement(string expected = "the end of the line")
    {
        SkipSpaces();
        if (Starts("%%")) _ = TakeLine();
        if (!IsAtLineEnd && Current != ';') throw Expected(expected);
    }

    /// <summary>Takes a statement that all kinds of diagrams support; returns whether there was one.</summary>
    public bool TakeCommon()
    {
        if (TakeKeyword("accTitle"))
        {
            SpokenTitle = AfterColon();
            return true;
        }
        if (!TakeKeyword("accDescr")) return false;
        Description = Take("{") ? TakeUntil("}", mayBreak: true).Trim() : AfterColon();
        return true;
    }

    /// <summary>Creates the error for text that was found in place of what was expected.</summary>
    public MermaidException Expected(string what, int? at = null) =>
        Refused($"found {Found(at ?? Position)}; expected {what}.", at);

    /// <summary>Creates a syntax error at a position.</summary>
    public MermaidException Refused(string sentence, int? at = null)
    {
        var place = Math.Min(at ?? Position, original.Length);
        var start = place == 0 ? 0 : original.LastIndexOf('\n', place - 1) + 1;
        var end = original.IndexOf('\n', place) is var found and >= 0 ? found : original.Length;
        var line = original.AsSpan(0, place).Count('\n') + 1;
        var message = $"({line},{place - start + 1}): {sentence}";
        var indent = new string([.. original[start..place].Select(c => c == '\t' ? '\t' : ' ')]);
        return new MermaidException("MermaidSyntaxError", message, [message, $"    {original[start..end]}", $"    {indent}^"],
            line);
    }

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c)
        || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark
            or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    /// <summary>
    /// Returns whether the current character is a hyphen or dot inside a name, as in <c>step-1</c>, and not the
    /// start of an arrow.
    /// </summary>
    private bool IsInnerMark() => Current is '-' or '.' && IsNamePart(Ahead(1)) && Position > 0 && IsNamePart(text[Position - 1]);

    private string AfterColon()
    {
        SkipSpaces();
        if (!Take(":")) throw Expected("\":\"");
        return TakeLine();
    }

    private string Found(int at)
    {
        if (at >= text.Length) return "the end of the diagram";
        if (text[at] == '\n') return "the end of the line";
        var end = at + 1;
        while (end < text.Length && end - at < FoundLength && IsNamePart(text[at]) && IsNamePart(text[end])) end++;
        return $"\"{text[at..end]}\"";
    }
}
