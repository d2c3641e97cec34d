using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Makes ordinary variables of the using declarations at the top of a cell, which scripts do not have. Their values are disposed
/// when the cell ends.
/// </summary>
internal static class UsingDeclarations
{
    private static readonly string Class = $"global::{typeof(CellUsings).FullName}";

    /// <param name="edits">The edits of the cell.</param>
    /// <param name="root">The cell, parsed as a program.</param>
    public static void Rewrite(CodeEdits edits, CompilationUnitSyntax root)
    {
        foreach (var statement in root.Members.OfType<GlobalStatementSyntax>().Select(member => member.Statement)
            .OfType<LocalDeclarationStatementSyntax>().Where(statement => statement.UsingKeyword.IsKind(SyntaxKind.UsingKeyword)))
        {
            var isAsync = statement.AwaitKeyword.IsKind(SyntaxKind.AwaitKeyword);
            edits.Blank(statement.UsingKeyword.Span);
            if (isAsync) edits.Blank(statement.AwaitKeyword.Span);
            var type = statement.Declaration.Type;
            var call = $"{Class}.{(isAsync ? nameof(CellUsings.KeepAsync) : nameof(CellUsings.Keep))}"
                + $"{(type.IsVar ? "" : $"<{CodeTokens.OnOneLine(type)}>")}(";
            foreach (var variable in statement.Declaration.Variables)
            {
                if (variable.Initializer is not { Value: { IsMissing: false } value }) continue;
                edits.Insert(value.SpanStart, call);
                edits.InsertAtEnd(value.Span.End, ")");
            }
        }
    }
}
