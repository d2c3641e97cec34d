using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Shows the text of a cell that is no program.</summary>
internal static class ShownText
{
    /// <summary>
    /// Shows what a text makes, and the text itself where only text can be shown. A cell without text shows nothing.
    /// </summary>
    public static Task<CellValue> Show(string code, CellContext context, Func<string, OrderedDictionary<string, string>> make)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        context.Cancellation.ThrowIfCancellationRequested();
        var text = WithoutBlankEnds(code);
        if (text.Length == 0) return Task.FromResult(CellValue.None);
        var data = make(text);
        data["text/plain"] = text;
        CellFunctions.Show(new Formatted(data, null), []);
        return Task.FromResult(CellValue.None);
    }

    /// <summary>Blank lines at the ends stand for other parts of the cell; the indent of the first line is its own.</summary>
    private static string WithoutBlankEnds(string code)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n').AsSpan();
        while (lines.Length > 0 && string.IsNullOrWhiteSpace(lines[0])) lines = lines[1..];
        while (lines.Length > 0 && string.IsNullOrWhiteSpace(lines[^1])) lines = lines[..^1];
        return string.Join('\n', lines);
    }
}
