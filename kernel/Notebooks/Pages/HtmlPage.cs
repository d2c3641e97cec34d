using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks.Parameters;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// A notebook as a self-contained HTML page: it needs no network and no other files. It runs the scripts
/// of the kit's figures, plotly.js if an output needs it, and JavaScript cells, but no other script of an output.
/// </summary>
public sealed class HtmlPage
{
    private readonly NotebookDocument notebook;
    private readonly MarkdownHtml markdown;
    private readonly OutputHtml outputs;
    private readonly PageScripts scripts = new();
    private readonly string name;

    private HtmlPage(NotebookDocument notebook, string name, string folder)
    {
        this.notebook = notebook;
        this.name = name;
        markdown = new MarkdownHtml(new PageImages(folder));
        outputs = new OutputHtml(markdown, scripts);
    }

    /// <summary>Renders a notebook with its stored outputs.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="name">The page's title if the notebook has no heading.</param>
    /// <param name="folder">The folder for relative paths of images, which are embedded in the page.</param>
    /// <param name="cancellation">Cancels the rendering.</param>
    public static async Task<string> RenderAsync(
        NotebookDocument notebook, string name, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        var code = notebook.Cells.Where(cell => cell.Kind == CellKind.Code).ToList();
        var sources = code.Select(cell => cell.Source.ReplaceLineEndings("\n")).ToList();
        var colored = await CodeColors.ColorAsync(sources, cancellation).ConfigureAwait(false);
        return new HtmlPage(notebook, name, folder)
            .Render(code.Zip(colored).ToDictionary(pair => pair.First, pair => pair.Second));
    }

    private string Render(Dictionary<NotebookCell, string> code)
    {
        var body = new StringBuilder();
        var number = 0;
        foreach (var cell in notebook.Cells)
        {
            body.Append(cell.Kind switch
            {
                CellKind.Code => Code(cell, code[cell], ++number),
                CellKind.Markdown =>
                    $"<div class=\"prose\">\n{markdown.Render(cell.Source, cell.Json["attachments"] as JsonObject)}</div>\n",
                _ => $"<pre class=\"raw\" tabindex=\"0\" role=\"group\" aria-label=\"Raw "
                    + $"text\">{Escape.Html(cell.Source)}</pre>\n",
            });
        }
        var title = markdown.Headings.OrderBy(heading => heading.Level).FirstOrDefault()?.Text is { Length: > 0 } text ? text
            : name;
        var plotly = PlotlyScript.IsNeededBy(notebook) ? $"{scripts.Element(PlotlyScript.Read())}\n" : "";
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy()}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>{Escape.Html(title)}</title>
            <style>
            {PageStyle.Css}</style>
            {plotly}</head>
            <body>
            <a class="skip" href="#main">Skip to the notebook</a>
            {Contents()}<main id="main">
            {body}</main>
            {Footer()}</body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    private string Code(NotebookCell cell, string code, int number)
    {
        var label = $"cell {cell.ExecutionCount ?? number}";
        var isInjected = cell.Tags.Contains(ParametersCell.InjectedTag);
        var note = isInjected ? "<p class=\"note\">Parameters of this run</p>\n" : "";
        var time = cell.Seconds is { } seconds ? $"<br><span class=\"time\">{Duration(seconds)}</span>" : "";
        var count = $"<span class=\"count\">[{(cell.ExecutionCount is { } executed ? executed : " ")}]{time}</span>";
        var text = $"<pre tabindex=\"0\" role=\"group\" aria-label=\"Code of {label}\"><code>{code}</code></pre>";
        var html = new StringBuilder($"""
            <div class="code{(isInjected ? " injected" : "")}" role="group" aria-label="C{label[1..]}">
            {note}<div class="in">{count}{text}</div>

            """);
        foreach (var output in cell.Outputs.OfType<JsonObject>())
            html.Append("<div class=\"out\">").Append(outputs.Render(output, label, cell)).Append("</div>\n");
        return html.Append("</div>\n").ToString();
    }

    /// <summary>Forbids everything that is not in the page, and all scripts but its own.</summary>
    private string Policy() =>
        $"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; {scripts.Policy}; font-src data:; "
        + "base-uri 'none'; form-action 'none'";

    private string Contents()
    {
        var entries = markdown.Headings.Where(heading => heading.Level is 2 or 3).ToList();
        if (entries.Count < 3) return "";
        var items = entries.Select(entry =>
            $"<li class=\"level-{entry.Level}\"><a href=\"#{Escape.Html(entry.Anchor)}\">{Escape.Html(entry.Text)}</a></li>\n");
        return $"<nav aria-label=\"Contents\"><ul>\n{string.Concat(items)}</ul></nav>\n";
    }

    private string Footer()
    {
        if (notebook.Metadata["researchkit"] is not JsonObject run) return "";
        var parts = new List<string> { $"Run {run["started"]}", $"{run["status"]}" };
        if (run["seconds"] is JsonValue value && value.TryGetValue<double>(out var seconds)) parts.Add(Duration(seconds));
        if (run["parameters"] is JsonObject { Count: > 0 } parameters)
            parts.Add(string.Join(", ", parameters.Select(entry => $"{entry.Key} = {entry.Value?.ToJsonString()}")));
        return $"<footer>{Escape.Html(string.Join(" · ", parts))}</footer>\n";
    }

    private static string Duration(double seconds) => seconds >= 60
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60}m {(int)seconds % 60:00}s")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0}s");
}
