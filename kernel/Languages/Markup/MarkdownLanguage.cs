using Markdig;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Cells of Markdown whose output is the text that they make.</summary>
/// <remarks>
/// The same extensions as on exported pages. HTML inside the text stays HTML, as in a notebook's own Markdown cells, and formulas
/// keep the marks around them, by which front ends set them.
/// </remarks>
public sealed class MarkdownLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "markdown";

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseEmphasisExtras().UseTaskLists().UseAutoLinks().UseMathematics().UseFootnotes().Build();

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["md"];

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) => ShownText.Show(code, context, text => new()
    {
        ["text/html"] = Markdown.ToHtml(text, Pipeline).TrimEnd('\n'),
        ["text/markdown"] = text,
    });
}
