using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Converts Roslyn's errors to positions in the original cell, before stop checks were inserted.
/// </summary>
/// <param name="cell">The cell's file name in the compiler.</param>
/// <param name="source">The original text of the cell.</param>
/// <param name="original">
/// Maps a position in the compiled text to one in the original cell.
/// </param>
internal sealed class CompileErrors(string cell, string source, Func<int, int> original)
{
    private readonly SourceText text = SourceText.From(source.ReplaceLineEndings("\n"));

    public CellException Describe(IReadOnlyList<Diagnostic> errors) => CompileError.Describe([.. errors.Select(Place)], source);

    private CompileError Place(Diagnostic error)
    {
        var (span, file) = (error.Location.GetLineSpan().Span, error.Location.GetLineSpan().Path);
        if (error.Location.SourceTree is { } tree && Path.GetFileName(tree.FilePath) == cell)
            (span, file) = (
                new LinePositionSpan(Original(error.Location.SourceSpan.Start), Original(error.Location.SourceSpan.End)), "");
        var (start, end) = (span.Start, span.End);
        return new CompileError(file ?? "", start.Line, start.Character, end.Line, end.Character, error.Id,
            error.GetMessage(null));
    }

    private LinePosition Original(int position) =>
        text.Lines.GetLinePosition(Math.Clamp(original(position), 0, text.Length));
}
