using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Inserts a check into every loop and function of a cell, so that a busy cell can be interrupted and an infinite recursion is
/// an error.
/// </summary>
/// <remarks>
/// .NET cannot stop a thread safely: an abort inside a native call can crash the process. A check costs the read of one field.
/// It is the first statement of the body, outside any <c>try</c> in it, so that a <c>catch</c> there does not catch it. An
/// expression body becomes a block. Lambdas with an expression body are left to <see cref="LambdaChecks"/>, which knows their
/// types.
/// </remarks>
internal sealed class StopChecks : CSharpSyntaxWalker
{
    /// <summary>The class that has the checks.</summary>
    public const string Class = "global::ResearchKit.Kernel.Cells.Globals.StopCheck";

    private const string Statement = $"{Class}.ThrowIfAsked();";
    /// <summary>The statement at the start of a function.</summary>
    public static string Entry(bool isAsync) => isAsync ? $"{Class}.EnterAsync();" : $"{Class}.Enter();";

    private readonly CodeEdits edits;
    private readonly HashSet<string> computed = new(StringComparer.Ordinal);   // names of properties and functions

    private StopChecks(CodeEdits edits, SyntaxNode root)
    {
        this.edits = edits;
        foreach (var node in root.DescendantNodes())
            if (Name(node) is { } name) computed.Add(name);
    }

    /// <summary>Adds the checks.</summary>
    public static void AddTo(CodeEdits edits, SyntaxNode root) => new StopChecks(edits, root).Visit(root);

    public override void VisitWhileStatement(WhileStatementSyntax node) =>
        VisitBody(node.Statement, () => base.VisitWhileStatement(node));

    public override void VisitDoStatement(DoStatementSyntax node) => VisitBody(node.Statement, () => base.VisitDoStatement(node));

    public override void VisitForStatement(ForStatementSyntax node) =>
        VisitBody(node.Statement, () => base.VisitForStatement(node));

    public override void VisitForEachStatement(ForEachStatementSyntax node) =>
        VisitBody(node.Statement, () => base.VisitForEachStatement(node));

    public override void VisitForEachVariableStatement(ForEachVariableStatementSyntax node) =>
        VisitBody(node.Statement, () => base.VisitForEachVariableStatement(node));

    public override void VisitLabeledStatement(LabeledStatementSyntax node)
    {
        edits.Insert(node.ColonToken.Span.End, $" {Statement}");
        base.VisitLabeledStatement(node);
    }

    public override void VisitMethodDeclaration(MethodDeclarationSyntax node) => VisitFunction(
        node, node.Body, node.ExpressionBody, node.SemicolonToken, IsVoid(node.ReturnType, node.Modifiers),
        IsAsync(node.Modifiers));

    public override void VisitLocalFunctionStatement(LocalFunctionStatementSyntax node) => VisitFunction(
        node, node.Body, node.ExpressionBody, node.SemicolonToken, IsVoid(node.ReturnType, node.Modifiers),
        IsAsync(node.Modifiers));

    public override void VisitOperatorDeclaration(OperatorDeclarationSyntax node) => VisitFunction(
        node, node.Body, node.ExpressionBody, node.SemicolonToken, IsVoid(node.ReturnType, node.Modifiers),
        IsAsync(node.Modifiers));

    public override void VisitConversionOperatorDeclaration(ConversionOperatorDeclarationSyntax node) =>
        VisitFunction(node, node.Body, node.ExpressionBody, node.SemicolonToken, isVoid: false);

    public override void VisitConstructorDeclaration(ConstructorDeclarationSyntax node) =>
        VisitFunction(node, node.Body, node.ExpressionBody, node.SemicolonToken, isVoid: true);

    public override void VisitAccessorDeclaration(AccessorDeclarationSyntax node) => VisitFunction(
        node, node.Body, node.ExpressionBody, node.SemicolonToken, !node.Keyword.IsKind(SyntaxKind.GetKeyword));

    public override void VisitPropertyDeclaration(PropertyDeclarationSyntax node)
    {
        VisitGetter(node.ExpressionBody, node.SemicolonToken);
        VisitInitializer(node, node.Modifiers, node.Initializer);
        base.VisitPropertyDeclaration(node);
    }

    public override void VisitIndexerDeclaration(IndexerDeclarationSyntax node)
    {
        VisitGetter(node.ExpressionBody, node.SemicolonToken);
        base.VisitIndexerDeclaration(node);
    }

    public override void VisitFieldDeclaration(FieldDeclarationSyntax node)
    {
        foreach (var variable in node.Declaration.Variables) VisitInitializer(node, node.Modifiers, variable.Initializer);
        base.VisitFieldDeclaration(node);
    }

    public override void VisitParenthesizedLambdaExpression(ParenthesizedLambdaExpressionSyntax node)
    {
        CheckBlock(node.Block, node.AsyncKeyword.IsKind(SyntaxKind.AsyncKeyword));
        base.VisitParenthesizedLambdaExpression(node);
    }

    public override void VisitSimpleLambdaExpression(SimpleLambdaExpressionSyntax node)
    {
        CheckBlock(node.Block, node.AsyncKeyword.IsKind(SyntaxKind.AsyncKeyword));
        base.VisitSimpleLambdaExpression(node);
    }

    public override void VisitAnonymousMethodExpression(AnonymousMethodExpressionSyntax node)
    {
        CheckBlock(node.Block, node.AsyncKeyword.IsKind(SyntaxKind.AsyncKeyword));
        base.VisitAnonymousMethodExpression(node);
    }

    private static string? Name(SyntaxNode node) => node switch
    {
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        LocalFunctionStatementSyntax function => function.Identifier.ValueText,
        _ => null,
    };

    private void VisitBody(StatementSyntax body, Action children)
    {
        if (body is BlockSyntax block)
        {
            if (!block.OpenBraceToken.IsMissing) edits.Insert(block.OpenBraceToken.Span.End, Statement);
        }
        else if (!body.IsMissing && !body.GetLastToken().IsMissing)
        {
            edits.Insert(body.SpanStart, $"{{{Statement}");
            edits.InsertAtEnd(body.Span.End, "}");
        }
        children();
    }

    private void CheckBlock(BlockSyntax? body, bool isAsync)
    {
        if (body is { OpenBraceToken.IsMissing: false }) edits.Insert(body.OpenBraceToken.Span.End, Entry(isAsync));
    }

    private void VisitFunction(
        SyntaxNode node, BlockSyntax? body, ArrowExpressionClauseSyntax? arrow, SyntaxToken semicolon, bool isVoid,
        bool isAsync = false)
    {
        CheckBlock(body, isAsync);
        if (IsWhole(arrow, semicolon)) MakeBlock(arrow!, semicolon, $"{Entry(isAsync)}{Return(arrow!, isVoid)}", "}");
        DefaultVisit(node);
    }

    /// <summary>A getter that reads fields alone gets no check: it cannot recurse, and loops may call it often.</summary>
    private void VisitGetter(ArrowExpressionClauseSyntax? arrow, SyntaxToken semicolon)
    {
        if (IsWhole(arrow, semicolon) && !IsPlain(arrow!.Expression))
            MakeBlock(arrow, semicolon, $"get{{{Entry(isAsync: false)}{Return(arrow, isVoid: false)}", "}}");
    }

    private bool IsPlain(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax => true,
        IdentifierNameSyntax name => !computed.Contains(name.Identifier.ValueText),
        _ => false,
    };

    private void MakeBlock(ArrowExpressionClauseSyntax arrow, SyntaxToken semicolon, string before, string after)
    {
        edits.Replace(arrow.ArrowToken.Span, "{ ");
        edits.Insert(arrow.Expression.SpanStart, before);
        edits.InsertAtEnd(semicolon.Span.End, after);
    }

    private static string Return(ArrowExpressionClauseSyntax arrow, bool isVoid) =>
        isVoid || arrow.Expression is ThrowExpressionSyntax ? "" : "return ";

    /// <summary>Initializers of instance members run in the constructor: creating an object there can recurse.</summary>
    private void VisitInitializer(SyntaxNode member, SyntaxTokenList modifiers, EqualsValueClauseSyntax? initializer)
    {
        if (initializer?.Value is null or InitializerExpressionSyntax || member.Parent is not TypeDeclarationSyntax) return;
        if (modifiers.Any(SyntaxKind.StaticKeyword) || modifiers.Any(SyntaxKind.ConstKeyword)) return;
        var value = initializer.Value;
        if (value.IsMissing || value.GetLastToken().IsMissing || value is RefExpressionSyntax) return;
        if (!value.DescendantNodesAndSelf().Any(node => node is BaseObjectCreationExpressionSyntax or InvocationExpressionSyntax))
            return;
        edits.Insert(value.SpanStart, $"{Class}.AskedOnEntry ? throw {Class}.Stopped() : (");
        edits.InsertAtEnd(value.Span.End, ")");
    }

    private static bool IsWhole(ArrowExpressionClauseSyntax? arrow, SyntaxToken semicolon) =>
        arrow is not null && !arrow.Expression.IsMissing && !arrow.GetLastToken().IsMissing
        && semicolon.IsKind(SyntaxKind.SemicolonToken) && !semicolon.IsMissing;

    private static bool IsAsync(SyntaxTokenList modifiers) => modifiers.Any(SyntaxKind.AsyncKeyword);

    /// <summary>Whether a function with an expression body returns no value: void, or an async task without a value.</summary>
    private static bool IsVoid(TypeSyntax type, SyntaxTokenList modifiers) => type switch
    {
        PredefinedTypeSyntax { Keyword.RawKind: (int)SyntaxKind.VoidKeyword } => true,
        _ when !IsAsync(modifiers) => false,
        QualifiedNameSyntax { Right: IdentifierNameSyntax name } => IsTask(name),
        IdentifierNameSyntax name => IsTask(name),
        _ => false,
    };

    private static bool IsTask(IdentifierNameSyntax name) => name.Identifier.ValueText is "Task" or "ValueTask";
}
