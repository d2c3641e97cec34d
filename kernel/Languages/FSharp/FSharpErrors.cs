using System.Text.RegularExpressions;
using FSharp.Compiler.Diagnostics;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Says what the F# compiler found, in the order of the cell's lines.</summary>
internal static partial class FSharpErrors
{
    /// <param name="found">What the compiler found, warnings too.</param>
    /// <param name="cell">What the compiler calls the cell.</param>
    /// <param name="source">The cell as it was written.</param>
    public static CellException Describe(IEnumerable<FSharpDiagnostic> found, string cell, string source)
    {
        var errors = found.Where(error => error.Severity.IsError)
            .Select(error => Place(error, cell)).OrderBy(error => (error.Line, error.Column)).ToList();
        return errors.Count > 0 ? CompileError.Describe(errors, source)
            : CellException.Plain("CompilationError", "The F# compiler gave up without saying why.");
    }

    private static CompileError Place(FSharpDiagnostic error, string cell) => new(
        Path.GetFileName(error.FileName) == cell ? "" : error.FileName,
        error.StartLine - 1, error.StartColumn, error.EndLine - 1, error.EndColumn,
        error.ErrorNumberText, LineBreak().Replace(error.Message, " ").Trim());

    [GeneratedRegex(@"\s*[\r\n]\s*")]
    private static partial Regex LineBreak();
}
