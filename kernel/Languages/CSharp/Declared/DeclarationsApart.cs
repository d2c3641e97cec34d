using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Finds the declarations of a cell or file that must be compiled apart: namespaces and extension blocks, which scripts do not
/// have, and the types beside them that they name.
/// </summary>
internal static class DeclarationsApart
{
    /// <param name="root">The cell, parsed as a program.</param>
    /// <param name="all">Whether to take all types: those of an ordinary file belong together.</param>
    public static IReadOnlyList<MemberDeclarationSyntax> Find(CompilationUnitSyntax root, bool all)
    {
        var apart = root.Members.Where(member => IsImpossible(member) || (all && IsType(member))).ToHashSet();
        var left = root.Members.Where(member => IsType(member) && !apart.Contains(member)).ToList();
        var names = Names(apart);
        while (left.FirstOrDefault(member => names.Contains(Name(member))) is { } named)
        {
            apart.Add(named);
            left.Remove(named);
            names.UnionWith(Names([named]));
        }
        return [.. root.Members.Where(apart.Contains)];
    }

    /// <summary>The full names of the types that declarations declare.</summary>
    public static IEnumerable<string> TypeNames(IEnumerable<MemberDeclarationSyntax> members, string space = "") =>
        members.SelectMany(member => member is BaseNamespaceDeclarationSyntax { Name: var name, Members: var inner }
            ? TypeNames(inner, $"{space}{name}.") : [$"{space}{Name(member)}`{Arity(member)}"]);

    private static bool IsImpossible(MemberDeclarationSyntax member) => member is BaseNamespaceDeclarationSyntax
        || (member is ClassDeclarationSyntax type && type.Members.Any(inner => inner is ExtensionBlockDeclarationSyntax));

    private static bool IsType(MemberDeclarationSyntax member) =>
        member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax;

    private static HashSet<string> Names(IEnumerable<SyntaxNode> nodes) => nodes.SelectMany(node => node.DescendantTokens())
        .Where(token => token.IsKind(SyntaxKind.IdentifierToken)).Select(token => token.ValueText)
        .ToHashSet(StringComparer.Ordinal);

    private static string Name(MemberDeclarationSyntax member) => member switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
        DelegateDeclarationSyntax type => type.Identifier.ValueText,
        _ => "",
    };

    private static int Arity(MemberDeclarationSyntax member) => member switch
    {
        TypeDeclarationSyntax type => type.Arity,
        DelegateDeclarationSyntax type => type.Arity,
        _ => 0,
    };
}
