using Markdig;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Markdown cells, whose output is the rendered text.</summary>
/// <remarks>
/// The Markdown extensions are those of exported pages. HTML in the text stays HTML, as in a notebook's own
/// Markdown
/// cells, and formulas keep their delimiters, which front ends need to render them.
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
