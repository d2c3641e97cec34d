using System.Xml.Linq;
using ResearchKit.Formatting;
using ResearchKit.Models;
using ResearchKit.Results;
using ResearchKit.Tensors;
using ResearchKit.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Formatting;

public sealed class RecordFormattingTests
{
    [Fact]
    public void A_module_opens_two_levels_and_collapses_identical_blocks()
    {
        using var model = Model();
        var document = Shown.Document(model);
        Assert.Contains("0 … 3", document.Value, StringComparison.Ordinal);
        Assert.Contains("4 × Sequential", document.Value, StringComparison.Ordinal);
        Assert.Equal(2, document.Descendants("details").Count(details => details.Attribute("open") is not null));
        Snapshot.Match(Shown.Text(model));
    }

    [Fact]
    public void Every_module_shows_its_path_and_a_shared_parameter_is_marked()
    {
        using var shared = Linear(3, 3);
        using var model = Sequential(("outer", Sequential(("first", shared), ("second", Linear(3, 3)))), ("again", shared));
        var document = Shown.Document(model);
        var paths = document.Descendants("code").Where(one => (string?)one.Attribute("class") == "rk-path")
            .Select(one => one.Value);
        Assert.Equal(["outer", "outer.first", "again"], paths);   // a path of a group is that of its first module
        Assert.Equal(2, document.Descendants("span").Count(flag => flag.Value == "shared"));
    }

    [Fact]
    public void Names_of_modules_are_escaped_as_text()
    {
        using var model = Sequential((Hostile.Text.Replace('.', ' '), Linear(2, 2)));
        Hostile.AssertHarmless(model);
    }

    [Fact]
    public void A_module_with_thousands_of_children_gives_a_page_of_bounded_size()
    {
        using var model = Sequential(Enumerable.Range(0, 2000)
            .Select(index => ($"part{index}", (Module<Tensor, Tensor>)Linear(1, 1 + (index % 7)))));
        Assert.InRange(Shown.Page(model).Length, 1_000, 200_000);
        Assert.InRange(Shown.Text(model).Length, 1_000, 100_000);
        Assert.Contains("more are not shown", Shown.Document(model).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Generated_text_keeps_its_white_space_and_shades_its_tokens()
    {
        var text = new GeneratedText("Once\n", [new(5, 0.91), new(7, 0.04)], ["  upon", "\na"]);
        var document = Shown.Document(text);
        Assert.Contains("Once\n  upon\na", document.Value, StringComparison.Ordinal);
        Assert.Equal(["token 5, probability 0.91", "token 7, probability 0.04"],
            document.Descendants("span").Attributes("title").Select(title => title.Value));
        Assert.Equal("Once\n  upon\na", Shown.Text(text));
        Hostile.AssertHarmless(new GeneratedText(Hostile.Text, [new(1, double.NaN)], [Hostile.Text]));
        Shown.Document(new GeneratedText("", [], []));
    }

    [Fact]
    public void Long_generated_text_gives_a_page_of_bounded_size()
    {
        var pieces = Enumerable.Repeat("word ", 20_000).ToArray();
        var page = Shown.Page(new GeneratedText("", [.. pieces.Select((_, index) => new GeneratedToken(index, 0.5))], pieces));
        Assert.InRange(page.Length, 100_000, 700_000);
    }

    [Fact]
    public void Results_are_shown_as_a_table_with_a_header()
    {
        var table = ResultTable.Of(new[] { new { Model = "GPT", HeldOutLoss = 1.6449, Steps = 12_000 },
            new { Model = Hostile.Text, HeldOutLoss = 2.0, Steps = 7 } });
        Assert.Equal("""
            model  held out loss   steps
            GPT            1.645  12,000
            """.ReplaceLineEndings("\n"), Shown.Text(table with { Rows = [table.Rows[0]] }));
        var document = Shown.Document(table);
        Assert.Equal(["model", "held out loss", "steps"], document.Descendants("th").Select(cell => cell.Value));
        Assert.Equal(["rk-left", "rk-right", "rk-right"],
            document.Descendants("tr").Last().Elements("td").Select(cell => (string?)cell.Attribute("class")));
        Hostile.AssertHarmless(table);
        Assert.Contains("1 more are not shown",
            Shown.Text(ResultTable.Of(Enumerable.Range(0, 501).Select(number => new { number }))), StringComparison.Ordinal);
        Shown.Document(ResultTable.Of(Array.Empty<StepReport>()));
    }

    [Fact]
    public void A_record_is_shown_as_a_table_with_right_aligned_numbers()
    {
        RecordView.Register<Sample>(sample =>
            sample.Name, sample => [("steps", sample.Steps), ("loss", sample.Loss), ("note", Hostile.Text)]);
        var sample = new Sample("run <1>", 12_345, 0.123456);
        Assert.Contains("<td class=\"rk-right\">12,345</td>", Shown.Page(sample), StringComparison.Ordinal);
        Assert.StartsWith("run <1>\n  steps  12,345\n  loss   0.1235\n", Shown.Text(sample), StringComparison.Ordinal);
        Hostile.AssertHarmless(sample);
        Assert.Contains("histogram", Shown.Document(TensorStatistics.Of(ones(4))).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Installing_the_formatters_again_changes_nothing()
    {
        var before = Microsoft.DotNet.Interactive.Formatting.Formatter.RegisteredFormatters().Count();
        Formatters.Install();
        Formatters.Install();
        Assert.Equal(before, Microsoft.DotNet.Interactive.Formatting.Formatter.RegisteredFormatters().Count());
        Assert.Equal("<b>&lt;</b>", Shown.Page(Html.Of($"<b>{"<"}</b>")));
    }

    private static TorchSharp.Modules.Sequential Model()
    {
        var blocks = Enumerable.Range(0, 4)
            .Select(index => (index.ToString(), (Module<Tensor, Tensor>)Sequential(("ln", LayerNorm(8)), ("mlp", Linear(8, 8)))));
        return Sequential(("wte", Embedding(10, 8)), ("h", Sequential(blocks)), ("head", Linear(8, 10, hasBias: false)));
    }

    private sealed record Sample(string Name, int Steps, double Loss);
}
