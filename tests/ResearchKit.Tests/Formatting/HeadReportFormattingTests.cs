using ResearchKit.Formatting;
using ResearchKit.Interpretability;
using ResearchKit.Results;

namespace ResearchKit.Tests.Formatting;

public sealed class HeadReportFormattingTests
{
    [Fact]
    public void Every_head_has_a_row_with_its_picture_and_numbers_that_can_be_sorted()
    {
        var page = Shown.Document(Report());
        var rows = page.Descendants("tbody").First().Elements("tr").ToList();
        Assert.Equal(["0.0", "0.1"], rows.Select(row => row.Element("th")!.Value));
        Assert.All(rows, row => Assert.StartsWith("attention of layer 0", row.Descendants("img").Single().Attribute("alt")!.Value,
            StringComparison.Ordinal));
        var column = page.Descendants("th").Select(head => head.Value).ToList().IndexOf("induction") - 1;
        Assert.Equal(["0.9", "NaN"], rows.Select(row => row.Elements("td").ElementAt(column).Attribute("data-v")!.Value));
        Assert.Equal(8, page.Descendants("th").Count(head => head.Attribute("data-sort") is not null));
        Shown.AssertSelfContained(Shown.Page(Report()));
        Assert.Contains("Q-composition", page.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_of_a_head_report() => Snapshot.Match(Shown.Text(Report()));

    [Fact]
    public void Any_text_is_escaped()
    {
        var report = Report();
        Hostile.AssertHarmless(report with { Evidence = new Evidence { Law = Hostile.Text } });
        Hostile.AssertHarmless(new PointMap(Hostile.Text, [Hostile.Text, "b"], new double[,] { { 0, 1 }, { 2, 3 } })
        { XAxis = Hostile.Text, YAxis = Hostile.Text, Groups = [Hostile.Text, "x"] });
    }

    [Fact]
    public void A_map_places_points_by_their_coordinates_and_stays_small()
    {
        var map = new PointMap("map", ["low", "high"], new double[,] { { -1, -1 }, { 1, 3 } }) { Groups = ["a", "b"] };
        var points = Shown.Document(map).Descendants("rect").Where(point => (string?)point.Attribute("class") == "v").ToList();
        Assert.Equal(["low (a)", "high (b)"], points.Select(point => point.Value));
        Assert.True((double)points[0].Attribute("x")! < (double)points[1].Attribute("x")!);
        Assert.True((double)points[0].Attribute("y")! > (double)points[1].Attribute("y")!);   // up is up
        Assert.NotEqual(points[0].Attribute("fill")!.Value, points[1].Attribute("fill")!.Value);
        Assert.Contains("<svg", map.ToSvg(), StringComparison.Ordinal);
        Assert.NotEmpty(map.ToPng());
        var many = new PointMap("many", [.. Enumerable.Range(0, 9_000).Select(label => $"{label}")], new double[9_000, 2]);
        Assert.InRange(Shown.Page(many).Length, 100_000, 700_000);
        Assert.Contains("not all are drawn", Shown.Page(many), StringComparison.Ordinal);
        Shown.Document(new PointMap("none", [], new double[0, 2]));
    }

    private static HeadReport Report()
    {
        var half = new[,] { { 1f, 0 }, { 0.5f, 0.5f } };
        Grid Composition(string letter) => new($"{letter}-composition", "", ["0.0", "0.1"], ["0.0", "0.1"],
            new[,] { { double.NaN, double.NaN }, { double.NaN, double.NaN } });
        return new HeadReport(
            [new(0, 0, 0.1, 0.2, 0.9, 0.4, 0.5, 1.5, 2.25, -0.5),
                new(0, 1, 0.1, double.NaN, double.NaN, 0.4, 0.5, 1.5, 2.25, 0.5)],
            new AttentionMaps([new("h.0.attn.hook_pattern", 0, 0, ["a", "b"], ["a", "b"], half),
                new("h.0.attn.hook_pattern", 0, 1, ["a", "b"], ["a", "b"], half)]), Composition("Q"), Composition("K"),
                    Composition("V"))
        {
            Evidence = new Evidence
            {
                Law = "each query's attention sums to 1",
                Error = 1e-7,
                Tolerance = 1e-5,
                ForwardPasses = 3
            },
        };
    }
}
