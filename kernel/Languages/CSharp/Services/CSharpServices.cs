using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Tags;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.CSharp.Services;

/// <summary>Editor services for C# cells, by Roslyn, which sees the earlier cells of the session.</summary>
internal sealed class CSharpServices(CellWorkspace workspace) : ICodeServices
{
    private const int Offered = 500;

    /// <inheritdoc/>
    public async Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation)
    {
        var document = workspace.With(code);
        position = Math.Clamp(position, 0, code.Length);
        var service = CompletionService.GetService(document)!;
        var found = await service.GetCompletionsAsync(document, position, cancellationToken: cancellation).ConfigureAwait(false);
        var start = WordStart(code, position);
        var typed = code[start..position];
        var items = found.ItemsList
            .Where(item => item.FilterText.Contains(typed, StringComparison.OrdinalIgnoreCase))
            .OrderBy(item => Rank(item.FilterText, typed)).ThenBy(item => item.SortText, StringComparer.OrdinalIgnoreCase)
            .Select(item => new CompletionItem(item.DisplayText, Kind(item), item.InlineDescription))
            .DistinctBy(item => item.Text).Take(Offered);
        return new Completions(start, WordEnd(code, position), [.. items]);
    }

    /// <inheritdoc/>
    public async Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation)
    {
        var document = workspace.With(code);
        var service = QuickInfoService.GetService(document)!;
        foreach (var place in await PlacesAsync(document, Math.Clamp(position, 0, code.Length), cancellation)
            .ConfigureAwait(false))
        {
            var found = await service.GetQuickInfoAsync(document, place, cancellation).ConfigureAwait(false);
            if (found is null || found.Sections.IsEmpty) continue;
            var sections = found.Sections.Select(section => (section.Kind, section.Text))
                .Where(section => section.Text.Length > 0).ToList();
            var text = string.Join("\n\n", sections.Select(section => section.Text));
            var markdown = string.Join("\n\n", sections.Select(
                section => section.Kind == QuickInfoSectionKinds.Description ? $"```csharp\n{section.Text}\n```" : section.Text));
            return new Inspection(text, markdown);
        }
        return null;
    }

    /// <inheritdoc/>
    public CodeCompleteness IsComplete(string code)
    {
        var tree = CSharpSyntaxTree.ParseText(code, CSharpDefaults.Parsing);
        if (!SyntaxFactory.IsCompleteSubmission(tree)) return new CodeCompleteness(CodeStatus.Incomplete, Indent(tree, code));
        var broken = tree.GetDiagnostics().Any(found => found.Severity == DiagnosticSeverity.Error);
        return new CodeCompleteness(broken ? CodeStatus.Invalid : CodeStatus.Complete);
    }

    /// <summary>Returns four spaces for each open brace.</summary>
    private static string Indent(SyntaxTree tree, string code)
    {
        var depth = 0;
        foreach (var token in tree.GetRoot().DescendantTokens().Where(token => !token.IsMissing))
            depth += token.Kind() switch { SyntaxKind.OpenBraceToken => 1, SyntaxKind.CloseBraceToken => -1, _ => 0 };
        return new string(' ', 4 * Math.Max(0, depth));
    }

    /// <summary>
    /// Returns the positions to look up: the symbol at the cursor, then the functions whose arguments contain the
    /// cursor.
    /// </summary>
    private static async Task<IReadOnlyList<int>> PlacesAsync(Document document, int position, CancellationToken cancellation)
    {
        var root = (await document.GetSyntaxRootAsync(cancellation).ConfigureAwait(false))!;
        var places = new List<int> { position };
        if (position > 0) places.Add(position - 1);
        foreach (var call in root.FindToken(Math.Max(0, position - 1)).Parent?.AncestorsAndSelf() ?? [])
            if (call is InvocationExpressionSyntax { Expression: var called } && called.Span.End <= position)
                places.Add(called is MemberAccessExpressionSyntax member ? member.Name.SpanStart : called.SpanStart);
            else if (call is ObjectCreationExpressionSyntax created && created.Type.Span.End <= position)
                places.Add(created.Type.SpanStart);
        return places;
    }

    private static int Rank(string name, string typed) =>
        name.StartsWith(typed, StringComparison.Ordinal) ? 0 : name.StartsWith(typed, StringComparison.OrdinalIgnoreCase) ? 1 : 2;

    private static int WordStart(string code, int position)
    {
        while (position > 0 && SyntaxFacts.IsIdentifierPartCharacter(code[position - 1])) position--;
        return position;
    }

    private static int WordEnd(string code, int position)
    {
        while (position < code.Length && SyntaxFacts.IsIdentifierPartCharacter(code[position])) position++;
        return position;
    }

    /// <summary>Returns the kind of a completion in Jupyter's terms.</summary>
    private static string Kind(Microsoft.CodeAnalysis.Completion.CompletionItem item)
    {
        foreach (var tag in item.Tags)
        {
            switch (tag)
            {
                case WellKnownTags.Method or WellKnownTags.ExtensionMethod: return "function";
                case WellKnownTags.Class or WellKnownTags.Structure or WellKnownTags.Interface or WellKnownTags.Enum
                    or WellKnownTags.Delegate:
                    return "class";
                case WellKnownTags.Namespace: return "module";
                case WellKnownTags.Property or WellKnownTags.Field or WellKnownTags.Event or WellKnownTags.EnumMember
                    or WellKnownTags.Constant:
                    return "property";
                case WellKnownTags.Local or WellKnownTags.Parameter or WellKnownTags.RangeVariable: return "instance";
                case WellKnownTags.Keyword: return "keyword";
            }
        }
        return "text";
    }
}
