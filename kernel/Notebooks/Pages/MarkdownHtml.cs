using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// Renders Markdown as HTML. HTML inside it is shown as text, and only http, https, mailto and relative URLs
/// become links.
/// </summary>
internal sealed partial class MarkdownHtml(PageImages images)
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseEmphasisExtras().UseTaskLists().UseAutoLinks().UseMathematics().UseFootnotes().DisableHtml().Build();

    private readonly HashSet<string> anchors = new(StringComparer.Ordinal) { "main" };

    /// <summary>The headings rendered so far.</summary>
    public List<PageHeading> Headings { get; } = [];

    /// <summary>Renders a text.</summary>
    /// <param name="markdown">The text.</param>
    /// <param name="attachments">The attached images of the cell.</param>
    /// <param name="isPartOfPage">
    /// True for the text of a cell, whose headings are added to the page's headings.
    /// </param>
    public string Render(string markdown, JsonObject? attachments = null, bool isPartOfPage = true)
    {
        if (Parsed(markdown) is not { } document) return $"<pre class=\"raw\">{Escape.Html(markdown)}</pre>\n";
        foreach (var link in document.Descendants<LinkInline>().ToList()) Settle(link, attachments);
        foreach (var link in document.Descendants<AutolinkInline>().Where(link => !link.IsEmail && !IsHarmless(link.Url))
            .ToList())
            link.ReplaceBy(new LiteralInline(link.Url));
        if (isPartOfPage)
            foreach (var heading in document.Descendants<HeadingBlock>()) Anchor(heading);
        return Formula().Replace(document.ToHtml(Pipeline), "$1$2");
    }

    /// <summary>Returns null for text that nests deeper than the parser allows, which is then shown as it is.</summary>
    private static MarkdownDocument? Parsed(string markdown)
    {
        try
        {
            return Markdown.Parse(markdown, Pipeline);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Matches formulas with their delimiters, which are removed so that the formula is shown as it was typed.
    /// </summary>
    [GeneratedRegex(@"(?<=class=""math"">)\s*(?:\\\((.*?)\\\)|\\\[(.*?)\\\])\s*(?=</)", RegexOptions.Singleline)]
    private static partial Regex Formula();

    private void Anchor(HeadingBlock heading)
    {
        var text = Text(heading.Inline).Trim();
        var slug = string.Join('-', new string([.. text.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) ? c : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var anchor = slug.Length == 0 ? "section" : slug;
        for (var i = 2; !anchors.Add(anchor); i++) anchor = $"{slug}-{i}";
        heading.GetAttributes().Id = anchor;
        Headings.Add(new PageHeading(heading.Level, text, anchor));
    }

    private void Settle(LinkInline link, JsonObject? attachments)
    {
        var url = link.GetDynamicUrl?.Invoke() ?? link.Url ?? "";
        link.GetDynamicUrl = null;
        if (link.IsImage && images.Find(url, attachments) is { } data)
        {
            link.Url = data;
            return;
        }
        link.IsImage = false;   // an image that cannot be embedded becomes a link with the image's description
        link.Url = IsHarmless(url) ? url : "";
    }

    private static bool IsHarmless(string url)
    {
        var scheme = new string([.. url.Where(c => !char.IsControl(c) && !char.IsWhiteSpace(c))]).Split('/', '?', '#')[0];
        return !scheme.Contains(':', StringComparison.Ordinal)
            || scheme.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
            || scheme.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            || scheme.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase);
    }

    private static string Text(ContainerInline? inlines) => string.Concat(inlines?.Descendants().Select(inline => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        LineBreakInline => " ",
        _ => "",
    }) ?? []);
}
