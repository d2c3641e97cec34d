using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Languages;

/// <summary>A stretch of a cell in one language. Lines of other parts are blank, so that line numbers stay the cell's.</summary>
/// <param name="Language">The name after <c>#!</c>, lower case.</param>
/// <param name="Code">The part's code.</param>
/// <param name="Line">The line of the cell, from 1, that chose the language.</param>
public sealed partial record CellPart(string Language, string Code, int Line)
{
    /// <summary>Cuts a cell at its <c>#!language</c> lines.</summary>
    public static IReadOnlyList<CellPart> Split(string cell, string language)
    {
        ArgumentNullException.ThrowIfNull(cell);
        var parts = new List<(string Language, int First, List<string> Lines)> { (language, 1, []) };
        var number = 0;
        foreach (var line in cell.ReplaceLineEndings("\n").Split('\n'))
        {
            number++;
            if (Switch().Match(line) is not { Success: true } match)
            {
                parts[^1].Lines.Add(line);
                continue;
            }
            parts.Add((match.Groups[1].Value.ToLowerInvariant(), number, [.. Enumerable.Repeat("", number)]));
        }
        return [.. parts.Select(part => new CellPart(part.Language, string.Join('\n', part.Lines), part.First))
                        .Where((part, i) => i > 0 || parts.Count == 1 || !string.IsNullOrWhiteSpace(part.Code))];
    }

    [GeneratedRegex(@"^#!([\w.\-]+)\s*$")]
    private static partial Regex Switch();
}
