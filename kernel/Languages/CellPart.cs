using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Languages;

/// <summary>A part of a cell: code in one language, or a magic command.</summary>
/// <param name="Language">The language's <see cref="ILanguage.Name"/>.</param>
/// <param name="Arguments">The text after the name on the <c>#!</c> line.</param>
/// <param name="Line">The first line of the part in the cell, from 1.</param>
internal abstract partial record CellPart(string Language, string Arguments, int Line)
{
    /// <summary>Splits a cell at its lines that begin with <c>#!</c> and a name.</summary>
    /// <param name="cell">The cell's text.</param>
    /// <param name="language">The language that the cell begins in.</param>
    /// <param name="find">Finds the language of a name; null if no language has that name.</param>
    public static IReadOnlyList<CellPart> Split(string cell, string language, Func<string, string?> find)
    {
        ArgumentNullException.ThrowIfNull(cell);
        ArgumentNullException.ThrowIfNull(find);
        var parts = new List<CellPart>();
        var (arguments, first, chosen, code) = ("", 1, false, new List<string>());
        var lines = cell.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Directive().Match(lines[i]) is not { Success: true } match)
            {
                code.Add(lines[i]);
                continue;
            }
            var (name, rest) = (match.Groups[1].Value, match.Groups[2].Value.Trim());
            EndProgram();
            if (find(name) is { } other) (language, arguments, first, chosen) = (other, rest, i + 1, true);
            else parts.Add(new MagicPart(language, name, rest, i + 1));
            code = [.. Enumerable.Repeat("", i + 1)];
        }
        EndProgram();
        return parts.Count > 0 ? parts : [new CodePart(language, "", cell, 1)];

        void EndProgram()
        {
            if (chosen || code.Any(line => !string.IsNullOrWhiteSpace(line)))
                parts.Add(new CodePart(language, arguments, string.Join('\n', code), first));
            (arguments, chosen) = ("", false);
        }
    }

    [GeneratedRegex(@"^#!([A-Za-z][\w.\-]*#?)(?:[ \t]+(.*))?$")]
    private static partial Regex Directive();
}

/// <summary>
/// Code in one language. Lines of earlier parts are blank, so that line numbers are those of the cell.
/// </summary>
internal sealed record CodePart(string Language, string Arguments, string Code, int Line) : CellPart(Language, Arguments, Line);

/// <summary>A magic command: a line such as <c>#!time</c>.</summary>
internal sealed record MagicPart(string Language, string Name, string Arguments, int Line) : CellPart(Language, Arguments, Line);
