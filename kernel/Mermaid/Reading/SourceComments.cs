using System.Text.RegularExpressions;

namespace ResearchKit.Mermaid.Reading;

/// <summary>
/// Blanks comments, directives and front matter of a diagram; the remaining text keeps its position.
/// </summary>
internal static partial class SourceComments
{
    /// <summary>Returns the blanked text, and the title in the front matter.</summary>
    public static (string Text, string? Title) Blanked(string source)
    {
        string? title = null;
        var text = FrontMatter().Replace(source, match =>
        {
            title = TitleLine().Match(match.Value) is { Success: true } line ? line.Groups[1].Value.Trim().Trim('"', '\'') : null;
            return Spaces(match.Value);
        });
        text = Directive().Replace(text, match => Spaces(match.Value));
        return (Comment().Replace(text, match => Spaces(match.Value)), title);
    }

    [GeneratedRegex(@"\A\s*---[ \t]*\n.*?\n[ \t]*---[ \t]*(?=\n|\z)", RegexOptions.Singleline)]
    private static partial Regex FrontMatter();

    [GeneratedRegex(@"^[ \t]*title:(.*)$", RegexOptions.Multiline)]
    private static partial Regex TitleLine();

    [GeneratedRegex(@"%%\{.*?\}%%", RegexOptions.Singleline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"^[ \t]*%%[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Comment();

    private static string Spaces(string text) => new([.. text.Select(c => c == '\n' ? c : ' ')]);
}
