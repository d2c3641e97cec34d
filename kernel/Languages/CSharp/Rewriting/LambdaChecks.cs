using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Inserts checks into lambdas with an expression body that call delegates, because they can call themselves without end.
/// </summary>
/// <remarks>
/// A lambda may be an expression tree, or return no value; only the compiler knows. So this needs a compilation of the cell.
/// </remarks>
internal static class LambdaChecks
{
    /// <summary>Returns whether a lambda may need a check, judged by its syntax alone.</summary>
    public static bool MayBeNeeded(SyntaxNode root) => root.DescendantNodes().Any(node => IsCandidate(node));

    /// <summary>Adds the checks to the code of a tree; returns whether there are any.</summary>
    public static bool AddTo(CodeEdits edits, SyntaxTree tree, SemanticModel model)
    {
        var any = false;
        foreach (var node in tree.GetRoot().DescendantNodes().Where(IsCandidate))
        {
            var lambda = (LambdaExpressionSyntax)node;
            if (model.GetSymbolInfo(lambda).Symbol is not IMethodSymbol symbol || IsTree(model, lambda)) continue;
            var body = lambda.ExpressionBody!;
            if (!body.DescendantNodesAndSelf().Any(part => part is ExpressionSyntax value && IsDelegate(model, value))) continue;
            var isVoid = symbol.ReturnsVoid || (symbol.IsAsync && symbol.ReturnType is INamedTypeSymbol { IsGenericType: false });
            edits.Insert(body.SpanStart, $"{{{StopChecks.Entry(symbol.IsAsync)}{(isVoid ? "" : "return ")}");
            edits.InsertAtEnd(body.Span.End, ";}");
            any = true;
        }
        return any;
    }

    private static bool IsCandidate(SyntaxNode node) =>
        node is LambdaExpressionSyntax { ExpressionBody: { IsMissing: false } body }
        && body is not (ThrowExpressionSyntax or RefExpressionSyntax) && !body.GetLastToken().IsMissing
        && body.DescendantNodesAndSelf().Any(part => part is InvocationExpressionSyntax);

    private static bool IsTree(SemanticModel model, LambdaExpressionSyntax lambda) =>
        model.GetTypeInfo(lambda).ConvertedType is not INamedTypeSymbol { TypeKind: TypeKind.Delegate };

    private static bool IsDelegate(SemanticModel model, ExpressionSyntax value) =>
        value is IdentifierNameSyntax && model.GetTypeInfo(value).Type is { TypeKind: TypeKind.Delegate or TypeKind.Dynamic };
}
