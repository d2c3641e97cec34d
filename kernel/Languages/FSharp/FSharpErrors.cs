using System.Text.RegularExpressions;
using FSharp.Compiler.Diagnostics;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Describes errors of the F# compiler, ordered by line.</summary>
internal static partial class FSharpErrors
{
    /// <param name="found">The compiler's diagnostics, including warnings.</param>
    /// <param name="cell">The cell's file name in the compiler.</param>
    /// <param name="source">The original text of the cell.</param>
    public static CellException Describe(IEnumerable<FSharpDiagnostic> found, string cell, string source)
    {
        var errors = found.Where(error => error.Severity.IsError)
            .Select(error => Place(error, cell)).OrderBy(error => (error.Line, error.Column)).ToList();
        return errors.Count > 0 ? CompileError.Describe(errors, source)
            : CellException.Plain("CompilationError", "The F# compiler rejected the cell without an error message.");
    }

    private static CompileError Place(FSharpDiagnostic error, string cell) => new(
        Path.GetFileName(error.FileName) == cell ? "" : error.FileName,
        error.StartLine - 1, error.StartColumn, error.EndLine - 1, error.EndColumn,
        error.ErrorNumberText, LineBreak().Replace(error.Message, " ").Trim());

    [GeneratedRegex(@"\s*[\r\n]\s*")]
    private static partial Regex LineBreak();
}
