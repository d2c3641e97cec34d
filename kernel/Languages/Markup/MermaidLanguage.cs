using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;
using ResearchKit.Mermaid;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>
/// Mermaid cells: diagrams in the notation of https://mermaid.js.org, drawn as SVG by the kernel.
/// </summary>
public sealed class MermaidLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "mermaid";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        context.Cancellation.ThrowIfCancellationRequested();
        var text = code.Trim('\r', '\n', ' ', '\t');
        var data = new OrderedDictionary<string, string>
        {
            ["text/html"] = Html(code),
            [MermaidDiagram.Mime] = text,
            ["text/plain"] = text,
        };
        CellFunctions.Show(new Formatted(data, null), []);
        return Task.FromResult(CellValue.None);
    }

    private static string Html(string code)
    {
        try
        {
            return MermaidDiagram.Html(code);
        }
        catch (MermaidException refused)
        {
            throw new CellException(refused.Kind, refused.Message, refused.Excerpt, refused.Line);
        }
    }
}
