using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>Says what the compiler found: place, code and message, the line, and a caret below the column.</summary>
/// <param name="cell">What the compiler calls the cell.</param>
/// <param name="source">The cell as it was written.</param>
/// <param name="original">Finds the line and column, from 0, that a place of the compiled text had in the cell.</param>
internal sealed class CompileErrors(string cell, string source, Func<int, LinePosition> original)
{
    private const int Shown = 20;
    private readonly string[] lines = source.ReplaceLineEndings("\n").Split('\n');

    public CellException Describe(IReadOnlyList<Diagnostic> errors)
    {
        var traceback = new List<string>();
        foreach (var error in errors.Take(Shown))
        {
            traceback.Add(Headline(error));
            traceback.AddRange(Excerpt(error));
        }
        if (errors.Count > Shown) traceback.Add($"… and {errors.Count - Shown} more errors");
        int? line = IsOfCell(errors[0]) ? Span(errors[0]).Start.Line + 1 : null;
        return new CellException("CompilationError", Headline(errors[0]), traceback, line);
    }

    private bool IsOfCell(Diagnostic error) => error.Location.SourceTree is { } tree && Path.GetFileName(tree.FilePath) == cell;

    private LinePositionSpan Span(Diagnostic error) => IsOfCell(error)
        ? new LinePositionSpan(original(error.Location.SourceSpan.Start), original(error.Location.SourceSpan.End))
        : error.Location.GetLineSpan().Span;

    private string Headline(Diagnostic error)
    {
        var (at, file) = (Span(error).Start, IsOfCell(error) ? "" : error.Location.GetLineSpan().Path);
        return $"{file}({at.Line + 1},{at.Character + 1}): error {error.Id}: {error.GetMessage(null)}";
    }

    private IEnumerable<string> Excerpt(Diagnostic error)
    {
        var span = Span(error);
        if (!IsOfCell(error) || span.Start.Line >= lines.Length) yield break;
        var (line, column) = (lines[span.Start.Line], span.Start.Character);
        var wide = span.End.Line == span.Start.Line ? span.End.Character - column : line.Length - column;
        var indent = new string([.. line.Take(column).Select(c => c == '\t' ? '\t' : ' ')]);
        yield return $"    {line}";
        yield return $"    {indent}{new string('^', Math.Max(1, wide))}";
    }
}
