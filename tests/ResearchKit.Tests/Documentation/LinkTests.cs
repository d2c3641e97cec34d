using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Tests.Documentation;

/// <summary>Links of the pages and notebooks to files of the repository, and to headings in them.</summary>
public sealed class LinkTests
{
    private static readonly string[] Places = ["", "docs", "datasets", "notebooks", ".github"];
    private static readonly string[] Built = ["bin", "obj", "runs"];

    private static readonly MarkdownPipeline GitHub =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).Build();

    public static TheoryData<string> Pages() => new(Places
        .SelectMany(place => Files(Repository.PathTo(place), place.Length > 0))
        .Select(file => Path.GetRelativePath(Repository.PathTo(""), file)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Each_link_to_a_file_or_a_heading_leads_there(string page)
    {
        var file = Repository.PathTo(page);
        Assert.DoesNotContain(Texts(file).SelectMany(Links), link => !Leads(file, link));
    }

    [Theory]
    [InlineData("docs/README.md", "nowhere.md")]
    [InlineData("docs/README.md", "design.md#no-such-heading")]
    [InlineData("README.md", "#no-such-heading")]
    public void A_link_that_leads_nowhere_is_found(string page, string link) =>
        Assert.False(Leads(Repository.PathTo(page), link));

    [Fact]
    public void All_pages_of_docs_are_checked() => Assert.Contains(Path.Combine("docs", "how-to", "train.md"),
        ((IEnumerable<object[]>)Pages()).Select(row => (string)row[0]));

    private static IEnumerable<string> Files(string folder, bool deep) => Directory.EnumerateFiles(folder)
        .Where(file => Path.GetExtension(file) is ".md" or ".ipynb")
        .Concat(deep ? Directory.EnumerateDirectories(folder).Where(inner => !Built.Contains(Path.GetFileName(inner)))
            .SelectMany(inner => Files(inner, deep)) : []);

    /// <summary>The Markdown of a page, or of each text cell of a notebook.</summary>
    private static IEnumerable<string> Texts(string file)
    {
        if (Path.GetExtension(file) == ".md") return [File.ReadAllText(file)];
        return NotebookDocument.Load(file).Cells.Where(cell => cell.Kind == CellKind.Markdown).Select(cell => cell.Source);
    }

    private static IEnumerable<string> Links(string markdown) => Markdown.Parse(markdown, GitHub).Descendants<LinkInline>()
        .Select(link => link.Url ?? "").Where(url => !url.Contains(':', StringComparison.Ordinal));

    private static bool Leads(string from, string link)
    {
        var (path, heading) = link.Split('#', 2) is [var before, var after] ? (before, after) : (link, null);
        var target = path.Length == 0 ? from
            : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(from)!, Uri.UnescapeDataString(path)));
        return Path.Exists(target)
            && (heading is null || Path.GetExtension(target) != ".md" || Headings(target).Contains(heading));
    }

    private static IEnumerable<string?> Headings(string file) => Markdown.Parse(File.ReadAllText(file), GitHub)
        .Descendants<HeadingBlock>().Select(heading => heading.GetAttributes().Id);
}
