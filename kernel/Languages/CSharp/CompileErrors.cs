using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>Says what Roslyn found, at its place in the cell as it was written.</summary>
/// <param name="cell">What the compiler calls the cell.</param>
/// <param name="source">The cell as it was written.</param>
/// <param name="original">Finds the line and column, from 0, that a place of the compiled text had in the cell.</param>
internal sealed class CompileErrors(string cell, string source, Func<int, LinePosition> original)
{
    public CellException Describe(IReadOnlyList<Diagnostic> errors) => CompileError.Describe([.. errors.Select(Place)], source);

    private CompileError Place(Diagnostic error)
    {
        var (span, file) = (error.Location.GetLineSpan().Span, error.Location.GetLineSpan().Path);
        if (error.Location.SourceTree is { } tree && Path.GetFileName(tree.FilePath) == cell)
            (span, file) = (
                new LinePositionSpan(original(error.Location.SourceSpan.Start), original(error.Location.SourceSpan.End)), "");
        var (start, end) = (span.Start, span.End);
        return new CompileError(file ?? "", start.Line, start.Character, end.Line, end.Character, error.Id,
            error.GetMessage(null));
    }
}
