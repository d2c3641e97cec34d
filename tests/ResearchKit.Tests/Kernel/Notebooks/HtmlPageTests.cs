using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;

namespace ResearchKit.Tests.Kernel.Notebooks;

public sealed class HtmlPageTests
{
    [Fact]
    public async Task A_small_page_matches_the_approved_snapshot()
    {
        var cell = TestNotebook.WithOutputs("#r \"nuget: TorchSharp\"\nvar x = Math.Max(1, 2); // <b>\nx",
            Stream("\u001b[31mred\u001b[0m <script>alert(1)</script>\n10%\r100%\n"),
            Data("text/plain", "2"),
            new JsonObject
            {
                ["output_type"] = "error",
                ["ename"] = "E",
                ["evalue"] = "<i>",
                ["traceback"] = new JsonArray("E: <i>")
            });
        var page = await PageAsync(TestNotebook.Markdown("# Title & more\n\n$x^2$ and <b>bold</b>"), cell);
        Snapshot.Match(page.Replace(PageStyle.Css, "…", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_page_loads_nothing_from_the_network()
    {
        var page = await PageAsync(
            TestNotebook.Markdown("![far](https://example.org/a.png) ![near](missing.png) [ok](https://example.org) "
                + "[bad](javascript:alert(1)) <javascript:alert(2)>\n\n<img src=x onerror=alert(3)>"),
            TestNotebook.WithOutputs("1", Data("text/markdown", "![x](http://example.org/b.png)")));
        Assert.DoesNotMatch(new Regex("<(?!a\\b)[a-z]+[^>]*\\s(src|href)=\"?(https?:)?//"), page);
        Assert.DoesNotMatch(new Regex("(href|src)=\"\\s*javascript:"), page);
        Assert.DoesNotContain("<img src=x", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'none'; "
            + "font-src "
            + "data:", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Source_and_output_of_a_cell_are_escaped_as_text()
    {
        const string evil = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>";
        var page = await PageAsync(
            TestNotebook.WithOutputs(evil, Stream(evil), Data("text/plain", evil), Data("image/png", $"\"{evil}"),
                Data("application/x", evil)),
            TestNotebook.Code($"// {evil}"));
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_richest_output_format_is_shown_and_images_have_alt_text()
    {
        var both = Data("image/png", "iVBO");
        both["data"]!["text/plain"] = "plain <words>";
        var page = await PageAsync(TestNotebook.WithOutputs("1", both, Data("text/html", "<em>rich</em>"),
            Data("image/svg+xml", "<?xml version=\"1.0\"?><svg/>")));
        Assert.Contains("alt=\"Output of cell 1: plain &lt;words&gt;\" src=\"data:image/png;base64,iVBO\"", page,
            StringComparison.Ordinal);
        Assert.Contains("<em>rich</em>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<?xml", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plotly_is_included_once_and_only_if_there_is_a_figure()
    {
        var without = await PageAsync(TestNotebook.WithOutputs("1", Data("text/html", "<p>no figure</p>")));
        Assert.DoesNotContain("<script", without, StringComparison.Ordinal);

        var figure = Data("text/html",
            $"<script>\n{File.ReadAllText(Repository.PathTo("kit", "Formatting", "Curves", "CurveView.js"))}</script>");
        figure["data"]!["application/vnd.plotly.v1+json"] = new JsonObject();
        var with = await PageAsync(TestNotebook.WithOutputs("1", figure),
            TestNotebook.WithOutputs("2", (JsonObject)figure.DeepClone()));
        Assert.Equal(3, Regex.Count(with, "<script"));
        Assert.Equal(3, Regex.Count(with, "</script", RegexOptions.IgnoreCase));
        Assert.InRange(with.Length, 3_000_000, 5_000_000);
        Assert.True(with.IndexOf("plotly.js v2", StringComparison.Ordinal) < with.IndexOf("!window.Plotly)",
            StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_image_in_the_folder_of_the_notebook_is_embedded_and_one_outside_is_not()
    {
        using var folder = new TemporaryFolder();
        folder.File("secret.png", "no");
        folder.File("lab/curve.png", "yes");
        var notebook = NotebookDocument.Parse(TestNotebook.Of(TestNotebook.Markdown("![curve](curve.png) "
            + "![secret](../secret.png)")), "x");
        var page = await HtmlPage.RenderAsync(notebook, "x", Path.Combine(folder.Path, "lab"));
        Assert.Contains("data:image/png;base64,eWVz", page, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(page, "data:image/png"));
    }

    private static Task<string> PageAsync(params JsonObject[] cells) =>
        HtmlPage.RenderAsync(NotebookDocument.Parse(TestNotebook.Of(cells), "x.ipynb"), "x", Path.GetTempPath());

    private static JsonObject Stream(string text) => new() { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = text };

    private static JsonObject Data(string mime, string text) =>
        new() { ["output_type"] = "display_data", ["metadata"] = new JsonObject(), ["data"] = new JsonObject { [mime] = text } };
}
