using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Sessions.Magics;

namespace ResearchKit.Kernel.Sessions;

/// <summary>
/// Editor services for cells: passes requests on to the language at the cursor, and completes <c>#!</c> lines
/// itself.
/// </summary>
internal sealed class CellCodeServices(SessionLanguages languages, SessionMagics magics, string defaultLanguage) : ICodeServices
{
    public async Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation)
    {
        position = Math.Clamp(position, 0, code.Length);
        var start = LineStart(code, position);
        if (code.AsSpan(start, position - start).StartsWith("#!") && !code.AsSpan(start, position - start).Contains(' '))
            return Names(code, start, position);
        return At(code, position) is var (services, text) && services is not null
            ? await services.CompleteAsync(text, position, cancellation).ConfigureAwait(false)
            : new Completions(position, position, []);
    }

    public async Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation)
    {
        position = Math.Clamp(position, 0, code.Length);
        return At(code, position) is var (services, text) && services is not null
            ? await services.InspectAsync(text, position, cancellation).ConfigureAwait(false)
            : null;
    }

    public CodeCompleteness IsComplete(string code) => At(code, code.Length) is var (services, text) && services is not null
        ? services.IsComplete(text)
        : new CodeCompleteness(CodeStatus.Complete);

    private Completions Names(string code, int start, int position)
    {
        var typed = code[start..position];
        var end = code.IndexOfAny([' ', '\n', '\r'], position) is >= 0 and var found ? found : code.Length;
        return new Completions(start, end,
            [.. magics.Names.Where(row => row.Name.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .Select(row => new CompletionItem(row.Name, "magic", row.Does))]);
    }

    /// <summary>
    /// Returns the services of the language at a position, and the cell with all code in other languages blanked.
    /// </summary>
    private (ICodeServices? Services, string Text) At(string code, int position)
    {
        if (CodeNesting.IsTooDeep(code)) return (null, code);
        var parts = CellPart.Split(code, defaultLanguage, name => languages.Find(name)?.Name);
        var at = parts.Index().LastOrDefault(part => part.Item is CodePart && LineStartOf(code, part.Item.Line) <= position);
        if (at.Item is null) return (null, code);
        var from = LineStartOf(code, at.Item.Line);
        if (code.AsSpan(from).StartsWith("#!")) from = code.IndexOf('\n', from) is >= 0 and var end ? end : code.Length;
        var to = at.Index + 1 < parts.Count ? LineStartOf(code, parts[at.Index + 1].Line) : code.Length;
        var kept = code.Select((character, i) => (i >= from && i < to) || character is '\n' or '\r' ? character : ' ');
        return (languages.Find(at.Item.Language)?.Services, string.Concat(kept));
    }

    private static int LineStartOf(string code, int line)
    {
        var at = 0;
        for (var i = 1; i < line; i++) at = code.IndexOf('\n', at) + 1;
        return at;
    }

    private static int LineStart(string code, int position) => position == 0 ? 0 : code.LastIndexOf('\n', position - 1) + 1;
}
