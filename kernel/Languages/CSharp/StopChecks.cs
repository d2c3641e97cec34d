using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>Puts a check into every loop and function of a cell, so that an interrupted cell ends wherever it is.</summary>
/// <remarks>
/// .NET cannot stop a thread safely from outside: an abort inside a call of a native library can take the process with it. A
/// check costs a read of one field. It stands before a loop's body, so a <c>catch</c> within the loop does not see it. No line
/// is added, so line numbers stay the cell's.
/// </remarks>
internal sealed class StopChecks : CSharpSyntaxWalker
{
    private const string Class = "global::ResearchKit.Kernel.Cells.Globals.StopCheck";
    private const string Statement = $"{Class}.ThrowIfAsked();";
    private const string Entry = $"{Class}.Enter();";
    private readonly List<TextChange> changes = [];

    /// <summary>The cell with its checks, and what finds the line and column of a place in it before they came.</summary>
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
    /// A function that calls itself is a loop too, and one that can use up the stack. What has no value cannot take the check as
    /// an expression.
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
