using ResearchKit.Compression;
using ResearchKit.Tensors;

namespace ResearchKit.Tests.Formatting;

public sealed class CompressionFormattingTests
{
    private static readonly QuantizationReport Report = new(
    [
        new("h.0.attn", 2048, QuantizationScheme.FourBits(), 4.625, 0.1, 0.05),
        new("h.1.attn", 1024, QuantizationScheme.EightBits, 8.5, 0.01, 0.1),
    ], 1000);

    private static readonly QuantizationSensitivity Sensitivity = new(
    [
        new("first", 10, [new(QuantizationScheme.FourBits(), 4.6, 0.4), new(QuantizationScheme.EightBits, 8, 0.1)]),
        new("second", 10, [new(QuantizationScheme.FourBits(), 4.6, -0.01), new(QuantizationScheme.EightBits, 8, 0)]),
    ], "rise of the loss", 1.5);

    private static readonly CompressionFrontier Frontier = new(
        [new("float32", 4e6, 1.5, 2.5), new("int8", 1e6, 1.51, 1.25), new("int4", 0.6e6, 1.7), new("bad", 2e6, 1.8)], "nats");

    [Fact]
    public void A_report_is_a_table_with_shaded_errors()
    {
        var document = Shown.Document(Report);
        Assert.Equal(["int4 affine, groups of 32", "2,048", "4.63", "1.2", "10.00 %", "5.00 %"],
            document.Descendants("tr").ElementAt(1).Elements("td").Select(cell => cell.Value));
        Assert.Equal(["60%", "30%", "6%", "60%"], Shades(Report));
        Assert.Contains("5.92 bits a weight", document.Value, StringComparison.Ordinal);
        Assert.Contains("h.1.attn  int8 symmetric, a scale a row", Shown.Text(Report), StringComparison.Ordinal);
        var plain = Report with { Layers = [Report.Layers[0] with { OutputError = null }] };
        Assert.DoesNotContain("output", Shown.Document(plain).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Sensitivity_is_a_heat_map_with_numbers()
    {
        var document = Shown.Document(Sensitivity);
        Assert.Equal(["10", "0.4", "0.1"], document.Descendants("tr").ElementAt(1).Elements("td").Select(cell => cell.Value));
        Assert.Equal(["60%", "30%", "0%", "0%"], Shades(Sensitivity));
        Assert.Contains("rise of the loss", Shown.Text(Sensitivity), StringComparison.Ordinal);
    }

    [Fact]
    public void A_frontier_is_a_plot_of_size_and_one_of_time_with_a_table()
    {
        var document = Shown.Document(Frontier);
        Assert.Equal(2, document.Descendants("svg").Count());
        Assert.Equal([4, 2], document.Descendants("svg").Select(plot => plot.Descendants("circle").Count()));
        Assert.Equal(["A", "float32", "4", "1.5", "2.5", "yes"],
            document.Descendants("tr").ElementAt(1).Elements("td").Select(cell => cell.Value));
        Assert.Equal("", document.Descendants("tr").Last().Elements("td").Last().Value);
        Assert.Single(Shown.Document(Frontier with { Points = [.. Frontier.Points.Skip(2)] }).Descendants("svg"));
        Assert.Contains("no finite point", Shown.Document(new CompressionFrontier([])).Value, StringComparison.Ordinal);
        Shown.AssertSelfContained(Shown.Page(Frontier));
    }

    [Fact]
    public void Names_of_layers_and_models_are_text()
    {
        const string Text = Hostile.Text;
        Hostile.AssertHarmless(Report with { Layers = [Report.Layers[0] with { Name = Text }] });
        Hostile.AssertHarmless(Sensitivity with { Measure = Text, Layers = [Sensitivity.Layers[0] with { Name = Text }] });
        Hostile.AssertHarmless(new CompressionFrontier([new(Text, 1, 1, 1), new(Text, 2, 0.5, 1)], Text));
    }

    private static IEnumerable<string> Shades(object value) => Shown.Document(value).Descendants("td")
        .Select(cell => (string?)cell.Attribute("style")).Where(style => style is not null)
        .Select(style => style!.Split("#d6455d ")[1].Split(',')[0]);
}
