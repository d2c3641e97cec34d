using FSharp.Compiler.Syntax;
using FSharp.Compiler.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>
/// Finds the code that could run forever: the bodies of loops, recursive functions, members and multi-line
/// lambdas.
/// </summary>
internal static class FSharpBodies
{
    private static readonly HashSet<string> OrdinaryBuilders = new(StringComparer.Ordinal)
    {
        "seq", "async", "task", "backgroundTask",
    };

    /// <summary>Returns the start positions of the bodies, without duplicates.</summary>
    public static IReadOnlyCollection<Position> Find(ParsedInput tree)
    {
        var places = new HashSet<Position>();
        Visit(tree, (path, node) =>
        {
            if (Body(path, node) is { } body && IsOrdinary(path)) places.Add(Plain(body).Range.Start);
        });
        return places;
    }

    /// <summary>Visits every syntax node with its ancestors, innermost first.</summary>
    public static void Visit(ParsedInput tree, Action<FSharpList<SyntaxNode>, SyntaxNode> see)
    {
        var folder = FuncConvert.FromFunc<Unit?, FSharpList<SyntaxNode>, SyntaxNode, Unit?>((_, path, node) =>
        {
            see(path, node);
            return null;
        });
        ParsedInputModule.fold(folder, null, tree);
    }

    private static SynExpr? Body(FSharpList<SyntaxNode> path, SyntaxNode node) => node switch
    {
        SyntaxNode.SynExpr { Item: SynExpr.While loop } => loop.doExpr,
        SyntaxNode.SynExpr { Item: SynExpr.WhileBang loop } => loop.doExpr,
        SyntaxNode.SynExpr { Item: SynExpr.For loop } => loop.doBody,
        SyntaxNode.SynExpr { Item: SynExpr.ForEach { seqExprOnly.Item: false } loop } => loop.bodyExpr,
        // No checks in one-line lambdas: they may be LINQ expression trees, where a check is not valid.
        SyntaxNode.SynExpr { Item: SynExpr.Lambda { parsedData.Value.Item2: var body } }
            when body.Range.EndLine > body.Range.StartLine => body,
        SyntaxNode.SynBinding { Item: var function } when IsRecursive(path) && HasArguments(function) => function.expr,
        SyntaxNode.SynMatchClause { Item: var clause } when IsFunctionOfPatterns(path) => clause.resultExpr,
        _ => null,
    };

    private static bool IsRecursive(FSharpList<SyntaxNode> path) => path.IsEmpty ? false : path.Head switch
    {
        SyntaxNode.SynModule { Item: SynModuleDecl.Let { isRecursive: true } } => true,
        SyntaxNode.SynExpr { Item: SynExpr.LetOrUse { Item.IsRecursive: true } } => true,
        SyntaxNode.SynMemberDefn { Item: SynMemberDefn.Member or SynMemberDefn.LetBindings { isRecursive: true } } => true,
        _ => false,
    };

    /// <summary>
    /// Returns whether a binding has arguments and is not a constructor, whose body has a special form.
    /// </summary>
    private static bool HasArguments(SynBinding binding) =>
        binding.headPat is SynPat.LongIdent { argPats: SynArgPats.Pats { pats.IsEmpty: false } } name
        && name.longDotId.LongIdent[^1].idText != "new";

    /// <summary>
    /// Returns whether a match clause belongs to <c>let rec f = function …</c>, with or without arguments before
    /// it.
    /// </summary>
    private static bool IsFunctionOfPatterns(FSharpList<SyntaxNode> path) =>
        path is { IsEmpty: false, Head: SyntaxNode.SynExpr { Item: SynExpr.MatchLambda } }
        && path.Tail is { IsEmpty: false, Head: SyntaxNode.SynBinding } function
        && IsRecursive(function.Tail);

    /// <summary>Removes the type annotation that the parser puts around a body.</summary>
    private static SynExpr Plain(SynExpr body) => body is SynExpr.Typed typed ? Plain(typed.expr) : body;

    /// <summary>
    /// Returns false inside a quotation, an interpolated string, or a computation expression whose builder gives
    /// statements another meaning.
    /// </summary>
    private static bool IsOrdinary(FSharpList<SyntaxNode> path)
    {
        for (var rest = path; !rest.IsEmpty; rest = rest.Tail)
        {
            if (rest.Head is not SyntaxNode.SynExpr { Item: var outer }) continue;
            if (outer is SynExpr.Quote or SynExpr.InterpolatedString) return false;
            if (outer is SynExpr.ComputationExpr && !IsOrdinaryBuilder(rest.Tail)) return false;
        }
        return true;
    }

    private static bool IsOrdinaryBuilder(FSharpList<SyntaxNode> path) =>
        path is { IsEmpty: false, Head: SyntaxNode.SynExpr { Item: SynExpr.App { funcExpr: SynExpr.Ident builder } } }
        && OrdinaryBuilders.Contains(builder.ident.idText);
}
