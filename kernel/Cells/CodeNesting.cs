namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Measures how deeply the brackets of code nest, because the compilers' parsers overflow the stack on very deep code.
/// </summary>
internal static class CodeNesting
{
    /// <summary>The deepest nesting that the compilers are given.</summary>
    public const int Deepest = 500;

    /// <summary>Throws if code nests too deeply for the compilers.</summary>
    /// <exception cref="CellException">The brackets nest deeper than <see cref="Deepest"/>.</exception>
    public static void Require(string code)
    {
        if (FindTooDeep(code) is not { } at) return;
        var line = code.AsSpan(0, at).Count('\n') + 1;
        throw CellException.Plain("CompilationError",
            $"({line},{at - code.LastIndexOf('\n', at)}): The brackets nest deeper than {Deepest} levels; expected fewer.", line);
    }

    /// <summary>Returns whether code nests too deeply for the compilers.</summary>
    public static bool IsTooDeep(string code) => FindTooDeep(code) is not null;

    /// <summary>
    /// The position of the first bracket that is too deep. Texts and comments are skipped; interpolated texts are not.
    /// </summary>
    private static int? FindTooDeep(string code)
    {
        if (code.Length <= Deepest) return null;
        var (depth, angles) = (0, 0);
        for (var i = 0; i < code.Length; i++)
        {
            switch (code[i])
            {
                case '(' or '[' or '{':
                    if (++depth > Deepest) return i;
                    angles = 0;
                    break;
                case ')' or ']' or '}':
                    depth = Math.Max(0, depth - 1);
                    angles = 0;
                    break;
                case '<':   // nested type arguments; a comparison ends before the next statement does
                    if (++angles > Deepest) return i;
                    break;
                case '>' or ';' or '&' or '|':
                    angles = 0;
                    break;
                case '"' when i == 0 || code[i - 1] is not ('$' or '@'):
                    i = EndOfText(code, i);
                    break;
                case '/' when i + 1 < code.Length && code[i + 1] == '/':
                    i = EndAt(code, "\n", i);
                    break;
                case '/' when i + 1 < code.Length && code[i + 1] == '*':
                    i = EndAt(code, "*/", i + 2);
                    break;
                case '\'' when i + 2 < code.Length && code[i + 2] == '\'':
                    i += 2;
                    break;
            }
        }
        return null;
    }

    private static int EndOfText(string code, int start)
    {
        if (code.AsSpan(start).StartsWith("\"\"\"")) return EndAt(code, "\"\"\"", start + 3);
        for (var i = start + 1; i < code.Length; i++)
        {
            if (code[i] == '\\') i++;
            else if (code[i] is '"' or '\n') return i;
        }
        return code.Length;
    }

    private static int EndAt(string code, string end, int start) =>
        code.IndexOf(end, Math.Min(start, code.Length), StringComparison.Ordinal) is >= 0 and var at ? at + end.Length - 1
            : code.Length;
}
