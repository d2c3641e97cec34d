using System.Net;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>Displays a small table as HTML and as text.</summary>
internal static class MagicTable
{
    public static void Show(CellOutputs? outputs, string[] headings, IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        var widths = headings.Select((heading, column) => all.Select(row => row[column].Length).Append(heading.Length).Max())
            .ToList();
        var text = string.Join('\n',
            all.Prepend(headings)
            .Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
        var body = string.Concat(all.Select(row => $"<tr>{Cells("td", row)}</tr>"));
        var data = new OrderedDictionary<string, string>
        {
            [HtmlFormatter.MimeType] = $"<table><thead><tr>{Cells("th", headings)}</tr></thead><tbody>{body}</tbody></table>",
            [PlainTextFormatter.MimeType] = text,
        };
        outputs?.Show(new Formatted(data, null), Guid.NewGuid().ToString("N"));
    }

    private static string Cells(string tag, string[] row) =>
        string.Concat(row.Select(cell => $"<{tag} style=\"text-align:left\">{WebUtility.HtmlEncode(cell)}</{tag}>"));
}
