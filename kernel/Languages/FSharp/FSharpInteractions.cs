using FSharp.Compiler.Tokenization;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Splits cells at <c>;;</c>, because F# Interactive evaluates one such part at a time.</summary>
internal static class FSharpInteractions
{
    /// <summary>
    /// Splits a cell. In each part the preceding text is blanked, so that lines and columns are those of the cell.
    /// </summary>
    public static IReadOnlyList<string> Split(string code)
    {
        if (!code.Contains(";;", StringComparison.Ordinal)) return [code];
        var starts = LineStarts(code);
        var ends = FSharpSession.Tokens(code).Where(token => token.Kind == FSharpTokenKind.SemicolonSemicolon)
            .Select(token => starts[token.Range.StartLine - 1] + token.Range.StartColumn);
        var (pieces, start) = (new List<string>(), 0);
        foreach (var end in ends.Append(code.Length))
        {
            if (!string.IsNullOrWhiteSpace(code[start..end])) pieces.Add(Blank(code[..start]) + code[start..end]);
            start = Math.Min(end + 2, code.Length);
        }
        return pieces;
    }

    /// <summary>Returns the start position of each line.</summary>
    public static IReadOnlyList<int> LineStarts(string code) =>
        [0, .. code.Select((c, i) => (c, i)).Where(at => at.c == '\n').Select(at => at.i + 1)];

    private static string Blank(string text) => new([.. text.Select(c => c == '\n' ? '\n' : ' ')]);
}
