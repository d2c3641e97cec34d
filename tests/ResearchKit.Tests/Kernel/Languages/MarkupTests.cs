using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.Markup;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>Cells that are no programs: each shows its text as what it is.</summary>
public sealed class MarkupTests
{
    [Fact]
    public async Task An_HTML_cell_is_shown_unchanged()
    {
        var data = await ShownAsync(new HtmlLanguage(), "\n\n  <b>bold &amp; <script>1</script></b>\n");
        Assert.Equal("  <b>bold &amp; <script>1</script></b>", data["text/html"]);
        Assert.Equal("  <b>bold &amp; <script>1</script></b>", data["text/plain"]);
    }

    [Fact]
    public async Task A_markdown_cell_gives_HTML_and_its_source()
    {
        var source = "# Title\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n- [x] done\n\n$x^2$";
        var data = await ShownAsync(new MarkdownLanguage(), source);
        Assert.Equal(["text/html", "text/markdown", "text/plain"], data.Keys);
        Assert.Equal(source, data["text/markdown"]);
        Assert.Contains("<h1>Title</h1>", data["text/html"], StringComparison.Ordinal);
        Assert.Contains("<td><strong>2</strong></td>", data["text/html"], StringComparison.Ordinal);
        Assert.Contains("type=\"checkbox\"", data["text/html"], StringComparison.Ordinal);
        Assert.Contains("\\(x^2\\)", data["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Code_of_a_JavaScript_cell_cannot_close_its_script_element()
    {
        var html = (await ShownAsync(new JavaScriptLanguage(),
            "element.append('</script><b>日本</b>'); // <!-- \u2028"))["text/html"];
        Assert.Equal(html.LastIndexOf("</script", StringComparison.Ordinal), html.IndexOf("</script", StringComparison.Ordinal));
        Assert.EndsWith("</script>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<!--", html, StringComparison.Ordinal);
        Assert.Contains("日本", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_JavaScript_cell_has_its_own_output_element()
    {
        var (one, two) = (await ShownAsync(new JavaScriptLanguage(), "1"), await ShownAsync(new JavaScriptLanguage(), "1"));
        Assert.NotEqual(one["text/html"], two["text/html"]);
    }

    [Fact]
    public async Task Text_of_a_CSS_cell_cannot_close_its_style_element()
    {
        var data = await ShownAsync(new CssLanguage(), ".a::after { content: \"</style><script>\" }");
        Assert.Equal("<style>\n.a::after { content: \"<\\/style><script>\" }\n</style>", data["text/html"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n\t\n")]
    public async Task An_empty_cell_has_no_output(string code)
    {
        foreach (var language in new ILanguage[] { new HtmlLanguage(), new JavaScriptLanguage(), new MarkdownLanguage(),
            new CssLanguage() })
            Assert.Empty(await OutputsAsync(language, code));
    }

    [Fact]
    public void Every_language_has_its_expected_name_and_aliases()
    {
        ILanguage[] all = [new HtmlLanguage(), new JavaScriptLanguage(), new MarkdownLanguage(), new CssLanguage(),
            new MermaidLanguage()];
        Assert.Equal(["html", "javascript", "js", "markdown", "md", "css", "mermaid"],
            all.SelectMany(language => language.Aliases.Prepend(language.Name)));
    }

    [Fact]
    public async Task A_Mermaid_cell_gives_an_SVG_drawing_and_its_source()
    {
        var data = await ShownAsync(new MermaidLanguage(), "\ngraph LR\n  A --> B\n");
        Assert.Equal(["text/html", "text/vnd.mermaid", "text/plain"], data.Keys);
        Assert.Equal("graph LR\n  A --> B", data["text/vnd.mermaid"]);
        Assert.Contains("<svg ", data["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_cell_is_canceled()
    {
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => OutputsAsync(new HtmlLanguage(), "<b>x</b>", stopped.Token));
    }

    private static async Task<IReadOnlyDictionary<string, string>> ShownAsync(ILanguage language, string code) =>
        Assert.IsType<DisplayOutput>(Assert.Single(await OutputsAsync(language, code))).Data;

    private static async Task<List<Output>> OutputsAsync(ILanguage language, string code,
        CancellationToken cancellation = default)
    {
        var outputs = new List<Output>();
        using var session = new SessionOutputs(TimeSpan.FromSeconds(1));
        var scope = new CellScope(new CellOutputs(session, outputs.Add), null, CancellationToken.None);
        scope.Enter();
        try
        {
            var value = await language.RunAsync(code, new CellContext("cell 1", _ => { }, cancellation) { Run = _ => null });
            Assert.False(value.Exists);
        }
        finally
        {
            scope.Leave();
        }
        return outputs;
    }
}
