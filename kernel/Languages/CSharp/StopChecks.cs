using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Inserts a check for interrupts into every loop and function of a cell, so that a busy cell can be
/// interrupted.
/// </summary>
/// <remarks>
/// .NET cannot stop a thread safely: an abort inside a native call can crash the process. A check costs the
/// read of
/// one field. It is the first statement of the loop body, outside any <c>try</c> in it, so that a <c>catch</c>
/// there
/// does not catch it. No line is added, so line numbers are those of the cell.
/// </remarks>
internal sealed class StopChecks : CSharpSyntaxWalker
{
    private const string Class = "global::ResearchKit.Kernel.Cells.Globals.StopCheck";
    private const string Statement = $"{Class}.ThrowIfAsked();";
    private const string Entry = $"{Class}.Enter();";
    private readonly List<TextChange> changes = [];

    /// <summary>
    /// Returns the cell with checks, and a function that maps a position in it to line and column in the original
    /// cell.
    /// </summary>
    public static (string Code, Func<int, LinePosition> Original) AddTo(string code)
    {
        var walker = new StopChecks();
        walker.Visit(CSharpSyntaxTree.ParseText(code, CSharpDefaults.Parsing).GetRoot());
        var inserted = walker.changes.OrderBy(change => change.Span.Start).ToList();
        var text = SourceText.From(code);
        return (text.WithChanges(inserted).ToString(), position => text.Lines.GetLinePosition(Before(position, inserted)));
    }

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
        Insert(node.ColonToken.Span.End, $" {Statement}");
        base.VisitLabeledStatement(node);
    }

    public override void VisitMethodDeclaration(MethodDeclarationSyntax node)
    {
        VisitFunction(node.Body, node.ExpressionBody, node.ReturnType);
        base.VisitMethodDeclaration(node);
    }

    public override void VisitLocalFunctionStatement(LocalFunctionStatementSyntax node)
    {
        VisitFunction(node.Body, node.ExpressionBody, node.ReturnType);
        base.VisitLocalFunctionStatement(node);
    }

    public override void VisitParenthesizedLambdaExpression(ParenthesizedLambdaExpressionSyntax node)
    {
        VisitFunction(node.Block, null, null);
        base.VisitParenthesizedLambdaExpression(node);
    }

    public override void VisitSimpleLambdaExpression(SimpleLambdaExpressionSyntax node)
    {
        VisitFunction(node.Block, null, null);
        base.VisitSimpleLambdaExpression(node);
    }

    private static int Before(int position, List<TextChange> inserted)
    {
        var shift = 0;
        foreach (var change in inserted)
        {
            if (change.Span.Start + shift >= position) break;
            shift += Math.Min(change.NewText!.Length, position - shift - change.Span.Start);
        }
        return position - shift;
    }

    private void VisitBody(StatementSyntax body, Action children)
    {
        if (body is BlockSyntax block)
        {
            if (!block.OpenBraceToken.IsMissing) Insert(block.OpenBraceToken.Span.End, Statement);
        }
        else if (!body.IsMissing && !body.GetLastToken().IsMissing)
        {
            Insert(body.SpanStart, $"{{{Statement}");
            Insert(body.Span.End, "}");
        }
        children();
    }

    /// <summary>
    /// Inserts checks into functions, because recursion can run forever or overflow the stack. An expression body
    /// that returns no value gets none, since the check there is part of the expression.
    /// </summary>
    private void VisitFunction(BlockSyntax? body, ArrowExpressionClauseSyntax? arrow, TypeSyntax? type)
    {
        if (body is { OpenBraceToken.IsMissing: false }) Insert(body.OpenBraceToken.Span.End, Entry);
        if (arrow is null || arrow.Expression.IsMissing || arrow.GetLastToken().IsMissing) return;
        if (type is RefTypeSyntax || type?.ToString() is "void" or "Task" or "ValueTask" or "System.Threading.Tasks.Task") return;
        if (arrow.Expression is RefExpressionSyntax or ThrowExpressionSyntax) return;
        Insert(arrow.Expression.SpanStart, $"{Class}.AskedOnEntry ? throw {Class}.Stopped() : (");
        Insert(arrow.Expression.Span.End, ")");
    }

    private void Insert(int position, string text) => changes.Add(new TextChange(new TextSpan(position, 0), text));
}
