using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Displays the text of cells in a markup language.</summary>
internal static class ShownText
{
    /// <summary>
    /// Displays what <paramref name="make"/> renders from the text, with the text itself as <c>text/plain</c>. An
    /// empty cell displays nothing.
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

    /// <summary>
    /// Removes blank lines at both ends, which stand for other parts of the cell, and keeps the indentation of the
    /// first line.
    /// </summary>
    private static string WithoutBlankEnds(string code)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n').AsSpan();
        while (lines.Length > 0 && string.IsNullOrWhiteSpace(lines[0])) lines = lines[1..];
        while (lines.Length > 0 && string.IsNullOrWhiteSpace(lines[^1])) lines = lines[..^1];
        return string.Join('\n', lines);
    }
}
