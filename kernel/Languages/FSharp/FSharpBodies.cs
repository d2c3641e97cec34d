using FSharp.Compiler.Syntax;
using FSharp.Compiler.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>
/// Finds what could run without end: the bodies of loops, of recursive functions, of members and of long lambdas.
/// </summary>
internal static class FSharpBodies
{
    private static readonly HashSet<string> OrdinaryBuilders = new(StringComparer.Ordinal)
    {
        "seq", "async", "task", "backgroundTask",
    };

    /// <summary>Where the bodies start, each place once.</summary>
    public static IReadOnlyCollection<Position> Find(ParsedInput tree)
    {
        var places = new HashSet<Position>();
        Visit(tree, (path, node) =>
        {
            if (Body(path, node) is { } body && IsOrdinary(path)) places.Add(Plain(body).Range.Start);
        });
        return places;
    }

    /// <summary>Shows every node, and what it lies in, the nearest first.</summary>
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
        // A short lambda may be meant as data, for LINQ: a check would spoil it.
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

    /// <summary>Constructors are left alone: their bodies have a form of their own.</summary>
    private static bool HasArguments(SynBinding binding) =>
        binding.headPat is SynPat.LongIdent { argPats: SynArgPats.Pats { pats.IsEmpty: false } } name
        && name.longDotId.LongIdent[^1].idText != "new";

    /// <summary>A clause of <c>let rec f = function …</c>, with or without arguments before.</summary>
    private static bool IsFunctionOfPatterns(FSharpList<SyntaxNode> path) =>
        path is { IsEmpty: false, Head: SyntaxNode.SynExpr { Item: SynExpr.MatchLambda } }
        && path.Tail is { IsEmpty: false, Head: SyntaxNode.SynBinding } function
        && IsRecursive(function.Tail);

    /// <summary>What a body is with its type taken away, which the parser puts around it.</summary>
    private static SynExpr Plain(SynExpr body) => body is SynExpr.Typed typed ? Plain(typed.expr) : body;

    /// <summary>
    /// Not within code that is data, within a string, or within a builder that gives statements a meaning of its own.
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
