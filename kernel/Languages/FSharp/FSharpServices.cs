using FSharp.Compiler.EditorServices;
using FSharp.Compiler.Symbols;
using FSharp.Compiler.Syntax;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>
/// Editor services for F# cells, by the F# compiler, which sees the earlier cells of the session.
/// </summary>
internal sealed class FSharpServices(Lazy<FSharpSession> session) : ICodeServices
{
    private const int Offered = 500;

    /// <inheritdoc/>
    public Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation) => Task.Run(
        () =>
        {
            position = Math.Clamp(position, 0, code.Length);
            var (line, column, text) = Place(code, position);
            var (parsed, found) = session.Value.Check(code);
            var partial = QuickParse.GetPartialLongNameEx(text, column - 1);
            var typed = partial.PartialIdent;
            var items = found.GetDeclarationListInfo(parsed, line, text, partial, null, null, null).Items
                .Where(item => item.NameInList.Contains(typed, StringComparison.OrdinalIgnoreCase))
                .OrderBy(item => Rank(item.NameInList, typed)).ThenBy(item => item.NameInList, StringComparer.OrdinalIgnoreCase)
                .Select(item => new CompletionItem(item.NameInCode, Kind(item.Glyph))).DistinctBy(item => item.Text)
                    .Take(Offered);
            return new Completions(position - typed.Length, WordEnd(code, position), [.. items]);
        }, cancellation);

    /// <inheritdoc/>
    public Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var (line, column, text) = Place(code, Math.Clamp(position, 0, code.Length));
            if (QuickParse.GetCompleteIdentifierIsland(true, text, column)?.Value is not var (name, end, _)) return null;
            var found = session.Value.Check(code).Checked
                .GetToolTip(line, end, text, ListModule.OfSeq(name.Split('.')), FSharpTokenTag.IDENT, null);
            var told = found.Item.OfType<ToolTipElement.Group>().SelectMany(group => group.elements).ToList();
            if (told.Count == 0) return null;
            var signatures = string.Join('\n', told.Select(element => element.MainDescription.Text).Distinct());
            var summary = told.Select(element => Documentation(element.XmlDoc)).FirstOrDefault(words => words.Length > 0) ?? "";
            return new Inspection($"{signatures}\n\n{summary}".TrimEnd(), $"```fsharp\n{signatures}\n```\n\n{summary}".TrimEnd());
        }, cancellation);

    /// <inheritdoc/>
    public CodeCompleteness IsComplete(string code)
    {
        var end = code.TrimEnd();
        var (line, column, _) = Place(end, end.Length);
        var errors = session.Value.Parse(code).Diagnostics.Where(found => found.Severity.IsError).ToList();
        if (errors.Count == 0) return new CodeCompleteness(CodeStatus.Complete);
        var open = errors.Any(error =>
            OpenAtEnd.Contains(error.ErrorNumber) || (error.EndLine, error.EndColumn).CompareTo((line, column)) >= 0);
        return open ? new CodeCompleteness(CodeStatus.Incomplete, Indent(end)) : new CodeCompleteness(CodeStatus.Invalid);
    }

    /// <summary>The compiler's error codes for unclosed brackets, strings and comments.</summary>
    private static HashSet<int> OpenAtEnd { get; } = [583, 513, 514, 515, 516, 517, 3384, 3385];

    /// <summary>Returns the indentation of the last line, plus four spaces if that line opens a block.</summary>
    private static string Indent(string code)
    {
        var last = code[(code.LastIndexOf('\n') + 1)..];
        var indent = last[..(last.Length - last.TrimStart().Length)];
        string[] opening = ["=", "->", "do", "then", "else", "with", "try", "(", "[", "{", "[|"];
        return opening.Any(word => last.EndsWith(word, StringComparison.Ordinal)) ? indent + "    " : indent;
    }

    private static (int Line, int Column, string Text) Place(string code, int position)
    {
        var before = code[..position];
        var start = before.LastIndexOf('\n') + 1;
        var end = code.IndexOf('\n', position);
        return (before.Count(c => c == '\n') + 1, position - start, code[start..(end < 0 ? code.Length : end)]);
    }

    private static int WordEnd(string code, int position)
    {
        while (position < code.Length && PrettyNaming.IsIdentifierPartCharacter(code[position])) position++;
        return position;
    }

    private static int Rank(string name, string typed) =>
        name.StartsWith(typed, StringComparison.Ordinal) ? 0 : name.StartsWith(typed, StringComparison.OrdinalIgnoreCase) ? 1 : 2;

    private static string Documentation(FSharpXmlDoc words) => words switch
    {
        FSharpXmlDoc.FromXmlText { Item: var text } => XmlWords.Summary(string.Join('\n', text.GetElaboratedXmlLines())),
        FSharpXmlDoc.FromXmlFile file => XmlWords.Summary(file.dllName, file.xmlSig),
        _ => "",
    };

    /// <summary>Returns the kind of a completion in Jupyter's terms.</summary>
    private static string Kind(FSharpGlyph glyph) =>
        glyph.IsMethod || glyph.IsOverridenMethod || glyph.IsExtensionMethod ? "function"
        : glyph.IsClass || glyph.IsStruct || glyph.IsInterface || glyph.IsEnum || glyph.IsDelegate || glyph.IsType
            || glyph.IsTypedef || glyph.IsUnion || glyph.IsException ? "class"
        : glyph.IsNameSpace || glyph.IsModule ? "module"
        : glyph.IsProperty || glyph.IsField || glyph.IsEvent || glyph.IsEnumMember || glyph.IsConstant ? "property"
        : glyph.IsVariable ? "instance" : "text";
}
