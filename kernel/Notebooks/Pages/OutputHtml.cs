using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// Renders an output of a cell as HTML, in the richest form that a self-contained page can show.
/// </summary>
internal sealed class OutputHtml(MarkdownHtml markdown, PageScripts scripts)
{
    private const int AltLength = 160;
    private const string LeftOut =
        "<p class=\"note\">A script of this output, or what loads one, was left out of this page.</p>\n";
    private readonly PageJavaScript javaScript = new(scripts);

    /// <summary>Renders an output.</summary>
    /// <param name="output">The output.</param>
    /// <param name="cell">The name of its cell for screen readers.</param>
    /// <param name="of">Its cell.</param>
    public string Render(JsonObject output, string cell, NotebookCell of) => (string?)output["output_type"] switch
    {
        "stream" => Stream(output, cell),
        "error" => Error(output, cell),
        _ => Rich(output["data"] as JsonObject ?? [], cell, of),
    };

    private static string Stream(JsonObject output, string cell)
    {
        var isError = (string?)output["name"] == "stderr";
        var label = isError ? $"Messages of {cell}" : $"Text of {cell}";
        return Text(MultilineText.Join(output["text"]), isError ? "stream stderr" : "stream", label);
    }

    private static string Error(JsonObject output, string cell)
    {
        var lines = (output["traceback"] as JsonArray ?? []).Select(line => (string?)line ?? "").ToList();
        var message = $"{(string?)output["ename"]}: {(string?)output["evalue"]}";
        var label = $"Error of {cell}";
        return $"<div class=\"error\" role=\"group\" aria-label=\"{Escape.Html(label)}\"><p><strong>Error</strong></p>"
            + Text(lines.Count > 0 ? string.Join('\n', lines) : message, "traceback", label) + "</div>\n";
    }

    private string Rich(JsonObject data, string cell, NotebookCell of)
    {
        var plain = Has(data, "text/plain");
        var label = Escape.Html(plain is null ? $"Output of {cell}" : $"Output of {cell}: {Short(plain)}");
        if (Has(data, "text/html") is { } html)
            return $"<div class=\"rich\" tabindex=\"0\" role=\"group\" aria-label=\"Output of "
                + $"{Escape.Html(cell)}\">{javaScript.Element(html, of) ?? Clean(html)}</div>\n";
        if (Has(data, "image/svg+xml") is { } svg)
            return $"<div class=\"rich picture\" role=\"img\" aria-label=\"{label}\">{Clean(SvgElement(svg))}</div>\n";
        foreach (var mime in new[] { "image/png", "image/jpeg", "image/gif" })
            if (Has(data, mime) is { } image && Base64(image) is { } base64)
                return $"<div class=\"rich picture\"><img alt=\"{label}\" src=\"data:{mime};base64,{base64}\"></div>\n";
        if (Has(data, "text/markdown") is { } text)
            return $"<div class=\"rich prose\">{markdown.Render(text, isPartOfPage: false)}</div>\n";
        if (plain is not null) return Text(plain, "plain", $"Output of {cell}");
        return data.FirstOrDefault() is { Key: { } other, Value: var value }
            ? Text(MultilineText.Join(value), "plain", $"Output of {cell} ({other})") : "";
    }

    /// <summary>Markup of an output never runs a script in the page; a note says what was left out.</summary>
    private string Clean(string markup)
    {
        var (clean, isChanged) = CleanMarkup.Of(markup, scripts);
        return isChanged ? clean + LeftOut : clean;
    }

    private static string Text(string text, string kind, string label) =>
        $"<pre class=\"{kind}\" tabindex=\"0\" role=\"group\" aria-label=\"{Escape.Html(label)}\">"
        + $"{Escape.Html(TerminalText.Plain(text).TrimEnd('\n'))}</pre>\n";

    private static string? Has(JsonObject data, string mime) => data[mime] is { } value ? MultilineText.Join(value) : null;

    private static string Short(string text)
    {
        var line = TerminalText.OneLine(text);
        return line.Length <= AltLength ? line : $"{line[..AltLength]}…";
    }

    /// <summary>Returns the svg element without a preceding XML declaration or doctype.</summary>
    private static string SvgElement(string svg) =>
        svg.IndexOf("<svg", StringComparison.OrdinalIgnoreCase) is var at and > 0 ? svg[at..] : svg;

    private static string? Base64(string text)
    {
        var clean = string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
        return clean.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '=') ? clean : null;
    }
}
