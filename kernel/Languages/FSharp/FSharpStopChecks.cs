using System.Text;
using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Syntax;
using FSharp.Compiler.Text;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>
/// Inserts a check for interrupts into every loop and recursive function of a cell, so that a busy cell can be
/// interrupted and an infinite recursion is an error.
/// </summary>
/// <remarks>
/// The check is a line of its own before the loop's body, at the body's column. After it come a line directive
/// with the
/// number of the body's first line, and that line itself with the text before the body blanked. So lines and
/// columns are
/// those of the cell, and indentation is still valid. The result is parsed again, and a check is left out if it
/// changes
/// the syntax around it.
/// </remarks>
internal static class FSharpStopChecks
{
    private const int MostTries = 50;
    private const string Check = "global.ResearchKit.Kernel.Cells.Globals.StopCheck.Enter()";

    /// <summary>Returns the cell with checks.</summary>
    /// <param name="code">The cell's code.</param>
    /// <param name="cell">The cell's file name in error messages.</param>
    /// <param name="parse">Parses code.</param>
    public static string AddTo(string code, string cell, Func<string, FSharpParseFileResults> parse)
    {
        var before = parse(code);
        if (before.ParseHadErrors) return code;
        var bodies = FSharpBodies.Find(before.ParseTree).ToList();
        if (bodies.Count == 0) return code;
        if (TryInsert(bodies) is { } whole) return whole;
        var kept = new List<Position>();
        foreach (var body in bodies.Take(MostTries))
            if (TryInsert([.. kept, body]) is not null) kept.Add(body);
        return Insert(code, cell, kept);

        string? TryInsert(List<Position> places) =>
            Insert(code, cell, places) is var text && IsSame(before, parse(text), places.Count) ? text : null;
    }

    private static string Insert(string code, string cell, IEnumerable<Position> bodies)
    {
        var starts = FSharpInteractions.LineStarts(code);
        var text = new StringBuilder(code);
        foreach (var body in bodies.OrderByDescending(body => (body.Line, body.Column)))
        {
            var indent = new string(' ', body.Column);
            text.Insert(starts[body.Line - 1] + body.Column, $"\n{indent}{Check}\n# {body.Line} \"{cell}\"\n{indent}");
        }
        return text.ToString();
    }

    /// <summary>
    /// Returns whether the new syntax tree equals the old one, except for one more call per check.
    /// </summary>
    private static bool IsSame(FSharpParseFileResults before, FSharpParseFileResults after, int checks)
    {
        if (after.Diagnostics.Length != before.Diagnostics.Length) return false;
        var (old, now) = (Kinds(before.ParseTree), Kinds(after.ParseTree));
        string[] call = [nameof(SynExpr.Sequential), nameof(SynExpr.App), nameof(SynExpr.LongIdent), nameof(SynExpr.Const)];
        foreach (var kind in call) old[kind] = old.GetValueOrDefault(kind) + checks;
        return old.Count == now.Count && old.All(kind => now.GetValueOrDefault(kind.Key) == kind.Value);
    }

    private static Dictionary<string, int> Kinds(ParsedInput tree)
    {
        var kinds = new Dictionary<string, int>(StringComparer.Ordinal);
        FSharpBodies.Visit(tree, (_, node) =>
        {
            var kind = node is SyntaxNode.SynExpr { Item: var code } ? code.GetType().Name : node.GetType().Name;
            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
        });
        return kinds;
    }
}
