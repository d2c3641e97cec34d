using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Languages.Markup;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;

namespace ResearchKit.Tests.Kernel.Notebooks;

/// <summary>An exported page runs the scripts of JavaScript cells and of the kit's figures, and no other.</summary>
public sealed class PageScriptTests
{
    [Theory]
    [InlineData("text/html", "<p>a</p><script>alert(1)</script>")]
    [InlineData("text/html", "<img src=\"data:image/png;base64,AA\" onerror=alert(1)>")]
    [InlineData("text/html", "<a href=\" java\nscript:alert(1)\">x</a>")]
    [InlineData("text/html", "<iframe srcdoc='<script>alert(1)</script>'></iframe>")]
    [InlineData("text/html", "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>")]
    [InlineData("text/html", "<b/onclick=alert(1)>x</b>")]
    [InlineData("text/html", "<p>cut<script>alert(1)")]
    [InlineData("image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><rect/></svg>")]
    [InlineData("image/svg+xml", "<svg><script>alert(1)</script><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>")]
    public async Task A_script_of_an_output_is_left_out_and_a_note_says_so(string mime, string markup)
    {
        var page = await PageAsync(TestNotebook.WithOutputs("1", Data(mime, markup)));
        Assert.DoesNotContain("alert", page, StringComparison.Ordinal);
        Assert.Contains("was left out of this page", page, StringComparison.Ordinal);
        Assert.Contains("script-src 'none'", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<table><tr><td title=\"a > b\" style='color:red'>1 &lt; 2</td></tr></table>")]
    [InlineData("<style>a > b { content: \"<script>\" }</style><input onx value=a disabled>")]
    [InlineData("a < b and c > d <3 <")]
    public async Task Markup_without_scripts_stays_as_it_is(string markup)
    {
        var clean = CleanMarkup.Of(markup, new PageScripts());
        Assert.Equal(markup.Contains("onx", StringComparison.Ordinal), clean.IsChanged);
        if (!clean.IsChanged) Assert.Contains(markup, await PageAsync(TestNotebook.WithOutputs("1", Data("text/html", markup))),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_JavaScript_cell_runs_without_eval()
    {
        const string code = "element.textContent = '</script>';\nreturn await 3;";
        var cell = TestNotebook.WithOutputs($"#!javascript\n{code}", Data("text/html", ScriptHtml.Of(code)));
        var page = await PageAsync(cell);
        Assert.Contains("async function (element, console, notebookScope) {\nelement.textContent = '<\\/script>';", page,
            StringComparison.Ordinal);
        Assert.Matches("script-src 'sha256-[A-Za-z0-9+/=]+';", page);
        Assert.DoesNotContain("was left out", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_cannot_pass_itself_off_as_a_JavaScript_cell()
    {
        var output = Data("text/html", ScriptHtml.Of("alert(1)"));
        foreach (var source in new[] { "1", "// #!javascript alert(1)", "#!javascript\nalert(2)", "#!csharp\nalert(1)" })
        {
            var page = await PageAsync(TestNotebook.WithOutputs(source, (JsonObject)output.DeepClone()));
            Assert.Contains("script-src 'none'", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_value_shared_with_JavaScript_is_data()
    {
        var good = Data("text/html", "<script type=\"text/javascript\">globalThis[\"x\"] = [1,\"\\u003C\"];</script>");
        Assert.Contains("globalThis[\"x\"] = [1,\"\\u003C\"];</script>", await PageAsync(TestNotebook.WithOutputs("1", good)),
            StringComparison.OrdinalIgnoreCase);
        var bad = Data("text/html", "<script type=\"text/javascript\">globalThis[\"x\"] = alert(1);</script>");
        Assert.Contains("script-src 'none'", await PageAsync(TestNotebook.WithOutputs("1", bad)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scripts_of_the_kits_figures_stay()
    {
        var path = Directory.GetFiles(Repository.PathTo("notebooks"), "01-*.ipynb").Single();
        var page = await HtmlPage.RenderAsync(NotebookDocument.Load(path), "x", Path.GetTempPath());
        Assert.Contains("document.currentScript", page, StringComparison.Ordinal);
        Assert.Equal(3, Regex.Count(page, "'sha256-"));   // two figures, and plotly.js
        Assert.DoesNotContain("was left out", page, StringComparison.Ordinal);
    }

    private static Task<string> PageAsync(params JsonObject[] cells) =>
        HtmlPage.RenderAsync(NotebookDocument.Parse(TestNotebook.Of(cells), "x.ipynb"), "x", Path.GetTempPath());

    private static JsonObject Data(string mime, string text) =>
        new() { ["output_type"] = "display_data", ["metadata"] = new JsonObject(), ["data"] = new JsonObject { [mime] = text } };
}
