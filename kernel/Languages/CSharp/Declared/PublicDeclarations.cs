using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Makes internal types and members public: in an ordinary project all files are in one assembly and see them, and so do cells.
/// </summary>
internal static class PublicDeclarations
{
    private static readonly SyntaxKind[] Words =
        [SyntaxKind.PublicKeyword, SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword, SyntaxKind.FileKeyword];

    public static void Rewrite(CodeEdits edits, IEnumerable<MemberDeclarationSyntax> members)
    {
        foreach (var node in members.SelectMany(member => member.DescendantNodesAndSelf())) Rewrite(edits, node);
    }

    private static void Rewrite(CodeEdits edits, SyntaxNode node)
    {
        switch (node)
        {
            case AccessorDeclarationSyntax accessor:
                foreach (var word in accessor.Modifiers.Where(word => word.IsKind(SyntaxKind.InternalKeyword)))
                    edits.Blank(word.Span);
                break;
            case MemberDeclarationSyntax member and not BaseNamespaceDeclarationSyntax:
                Publish(edits, member);
                break;
        }
    }

    private static void Publish(CodeEdits edits, MemberDeclarationSyntax member)
    {
        if (member.Modifiers.Any(word => Words.Contains(word.Kind()))) return;
        var hidden = member.Modifiers.FirstOrDefault(word => word.IsKind(SyntaxKind.InternalKeyword));
        if (!hidden.IsKind(SyntaxKind.None)) edits.Replace(hidden.Span, "public");
        else if (member.Parent is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax && Start(member) is { } start)
            edits.Insert(start, "public ");
    }

    private static int? Start(MemberDeclarationSyntax member) => member switch
    {
        _ when member.Modifiers is [var first, ..] => first.SpanStart,
        TypeDeclarationSyntax type => type.Keyword.SpanStart,
        EnumDeclarationSyntax type => type.EnumKeyword.SpanStart,
        DelegateDeclarationSyntax type => type.DelegateKeyword.SpanStart,
        _ => null,
    };
}
