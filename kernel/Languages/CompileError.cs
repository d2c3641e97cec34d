using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages;

/// <summary>A compiler error in a cell. Lines and columns count from 0, as in the compilers.</summary>
/// <param name="File">The file that contains the error; empty for the cell itself.</param>
/// <param name="Line">The line of its first character.</param>
/// <param name="Column">The column of its first character.</param>
/// <param name="EndLine">The line of its last character.</param>
/// <param name="EndColumn">The column after its last character.</param>
/// <param name="Id">The compiler's error code, such as <c>CS1002</c>.</param>
/// <param name="Message">The compiler's message.</param>
internal sealed record CompileError(string File, int Line, int Column, int EndLine, int EndColumn, string Id, string Message)
{
    private const int Shown = 20;

    /// <summary>
    /// Creates the failure of a cell. The traceback has the place, code and message of each error, its source line,
    /// and carets below its columns.
    /// </summary>
    /// <param name="errors">At least one error; the first is the message of the failure.</param>
    /// <param name="source">The original text of the cell.</param>
    public static CellException Describe(IReadOnlyList<CompileError> errors, string source)
    {
        var lines = source.ReplaceLineEndings("\n").Split('\n');
        var traceback = new List<string>();
        foreach (var error in errors.Take(Shown))
        {
            traceback.Add(error.Headline);
            traceback.AddRange(error.Excerpt(lines));
        }
        if (errors.Count > Shown) traceback.Add($"… and {errors.Count - Shown} more errors");
        int? line = errors[0].File.Length == 0 ? errors[0].Line + 1 : null;
        return new CellException("CompilationError", errors[0].Headline, traceback, line);
    }

    private string Headline => $"{File}({Line + 1},{Column + 1}): error {Id}: {Message}";

    private IEnumerable<string> Excerpt(string[] lines)
    {
        if (File.Length > 0 || Line >= lines.Length) yield break;
        var line = lines[Line];
        var wide = EndLine == Line ? EndColumn - Column : line.Length - Column;
        var indent = new string([.. line.Take(Column).Select(c => c == '\t' ? '\t' : ' ')]);
        yield return $"    {line}";
        yield return $"    {indent}{new string('^', Math.Max(1, wide))}";
    }
}
