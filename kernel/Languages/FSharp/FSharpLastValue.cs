using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Syntax;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Gives a type to a last expression of generic type, such as <c>failwith "no"</c>.</summary>
/// <remarks>F# Interactive binds the last expression to <c>it</c>, which cannot be generic.</remarks>
internal static class FSharpLastValue
{
    private const int ValueRestriction = 30;

    /// <summary>Returns whether the compiler reports that <c>it</c> would be generic.</summary>
    public static bool IsGeneric(IEnumerable<FSharpDiagnostic> found) => found.Any(
        error => error.ErrorNumber == ValueRestriction && error.Severity.IsError
            && error.Message.Contains("'it'", StringComparison.Ordinal));

    /// <summary>
    /// Returns the code with its last expression annotated as <c>obj</c>, at unchanged lines and columns.
    /// </summary>
    public static string AsObject(string code, string cell, FSharpParseFileResults parsed)
    {
        if (parsed.ParseTree is not ParsedInput.ImplFile { Item.Contents: { IsEmpty: false } files }) return code;
        if (files[^1].decls is not { IsEmpty: false } declared || declared[^1] is not SynModuleDecl.Expr { range: var range })
            return code;
        var starts = FSharpInteractions.LineStarts(code);
        var (start, end) = (starts[range.StartLine - 1] + range.StartColumn, starts[range.EndLine - 1] + range.EndColumn);
        var indent = new string(' ', range.StartColumn);
        return $"{code[..start]}(\n# {range.StartLine} \"{cell}\"\n{indent}{code[start..end]}\n{indent} : obj){code[end..]}";
    }
}
