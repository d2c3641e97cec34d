using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Languages;

/// <summary>A stretch of a cell: a program in one language, or a line that asks something of the session.</summary>
/// <param name="Language">The name of the language, as its own <see cref="ILanguage.Name"/> spells it.</param>
/// <param name="Arguments">What stands behind the name on the line that chose it.</param>
/// <param name="Line">The line of the cell, from 1, that it begins with.</param>
internal abstract partial record CellPart(string Language, string Arguments, int Line)
{
    /// <summary>Cuts a cell at its lines that begin with <c>#!</c> and a name.</summary>
    /// <param name="cell">The cell's text.</param>
    /// <param name="language">The language it begins in.</param>
    /// <param name="find">The language of a name; null where the name is no language's.</param>
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

/// <summary>A program, or a part of one. Lines of other parts are blank, so that line numbers stay the cell's.</summary>
internal sealed record CodePart(string Language, string Arguments, string Code, int Line) : CellPart(Language, Arguments, Line);

/// <summary>A line such as <c>#!time</c>.</summary>
internal sealed record MagicPart(string Language, string Name, string Arguments, int Line) : CellPart(Language, Arguments, Line);
