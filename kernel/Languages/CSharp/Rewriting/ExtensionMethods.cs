using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Makes the extension methods of a cell's static classes usable. A script has extension methods only outside of classes: each
/// becomes an ordinary method of its class, and an extension method of the script that calls it.
/// </summary>
internal static class ExtensionMethods
{
    /// <param name="edits">The edits of the cell.</param>
    /// <param name="members">The declarations of the cell that stay in the script.</param>
    public static void Rewrite(CodeEdits edits, IEnumerable<MemberDeclarationSyntax> members)
    {
        foreach (var type in members.OfType<ClassDeclarationSyntax>().Where(IsPossible))
        {
            var forwarders = new StringBuilder();
            foreach (var method in type.Members.OfType<MethodDeclarationSyntax>().Where(IsExtension))
            {
                edits.Blank(This(method).Span);
                Publish(edits, method);
                forwarders.Append(' ').Append(Forwarder(type.Identifier.Text, method));
            }
            edits.Insert(type.CloseBraceToken.Span.End, forwarders.ToString());
        }
    }

    private static bool IsPossible(ClassDeclarationSyntax type) => type.Modifiers.Any(SyntaxKind.StaticKeyword)
        && type.TypeParameterList is null && !type.CloseBraceToken.IsMissing;

    private static bool IsExtension(MethodDeclarationSyntax method) => method.ReturnType is not RefTypeSyntax
        && method.ParameterList.Parameters is [var first, ..] && first.Modifiers.Any(SyntaxKind.ThisKeyword);

    private static SyntaxToken This(MethodDeclarationSyntax method) =>
        method.ParameterList.Parameters[0].Modifiers.First(modifier => modifier.IsKind(SyntaxKind.ThisKeyword));

    /// <summary>A private method of the class cannot be called from outside of it.</summary>
    private static void Publish(CodeEdits edits, MethodDeclarationSyntax method)
    {
        if (method.Modifiers.Any(SyntaxKind.PublicKeyword) || method.Modifiers.Any(SyntaxKind.InternalKeyword)) return;
        foreach (var modifier in method.Modifiers.Where(modifier => modifier.IsKind(SyntaxKind.PrivateKeyword)))
            edits.Blank(modifier.Span);
        edits.Insert(method.Modifiers.FirstOrDefault(method.ReturnType.GetFirstToken()).SpanStart, "internal ");
    }

    private static string Forwarder(string type, MethodDeclarationSyntax method)
    {
        var parameters = method.ParameterList.Parameters;
        var types = method.TypeParameterList is { } list
            ? $"<{string.Join(", ", list.Parameters.Select(parameter => parameter.Identifier.Text))}>" : "";
        var constraints = string.Join(' ', method.ConstraintClauses.Select(CodeTokens.OnOneLine));
        var unsafeWord = method.Modifiers.Any(SyntaxKind.UnsafeKeyword) ? "unsafe " : "";
        return $"private static {unsafeWord}{CodeTokens.OnOneLine(method.ReturnType)} {method.Identifier.Text}{types}("
            + $"{string.Join(", ", parameters.Select(CodeTokens.OnOneLine))}) {constraints} => {type}.{method.Identifier.Text}"
            + $"{types}({string.Join(", ", parameters.Select(Argument))});";
    }

    private static string Argument(ParameterSyntax parameter)
    {
        var kind = parameter.Modifiers.Any(SyntaxKind.OutKeyword) ? "out "
            : parameter.Modifiers.Any(SyntaxKind.InKeyword) || parameter.Modifiers.Any(SyntaxKind.ReadOnlyKeyword) ? "in "
            : parameter.Modifiers.Any(SyntaxKind.RefKeyword) ? "ref " : "";
        return kind + parameter.Identifier.Text;
    }
}
