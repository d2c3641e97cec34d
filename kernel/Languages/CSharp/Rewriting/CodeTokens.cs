using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>The text of syntax without comments and line breaks, for code that is inserted into a line.</summary>
internal static class CodeTokens
{
    public static string OnOneLine(SyntaxNode? node) =>
        node is null ? "" : string.Join(' ', node.DescendantTokens().Select(token => token.Text));
}
