using System.Xml.Linq;
using ResearchKit.Formatting;
using ResearchKit.Results;
using SkiaSharp;

namespace ResearchKit.Tests.Formatting;

public sealed class GridFormattingTests
{
    private static readonly double[,] Mixed = { { 0.5, -1.25, double.NaN }, { 2, 0, 1 } };

    [Fact]
    public void Page_of_a_grid()
    {
        var page = Shown.Document(Patching(Mixed));
        Snapshot.Match(page.ToString());
    }

    [Fact]
    public void Text_of_a_grid() => Snapshot.Match(Shown.Text(Patching(Mixed)));

    [Fact]
    public void Colors_diverge_only_if_the_data_lie_on_both_sides_of_zero()
    {
        Assert.Contains("(white = 0)", Shown.Document(Patching(Mixed)).Value, StringComparison.Ordinal);
        foreach (var (low, high) in new[] { (0.1, 3.0), (-4, -0.5), (0, 1), (-1e-9, 1) })
            Assert.DoesNotContain("(white = 0)", Shown.Document(Of(new[,] { { low, high } })).Value, StringComparison.Ordinal);
        // zero is the middle color, so that a cell of zero is neither red nor blue
        Assert.Equal("#f7f7f7", Cell(Patching(Mixed), "layer 1, position ·cat: 0 nats").Attribute("fill")!.Value);
    }

    [Fact]
    public void The_caption_turns_red_where_the_law_is_broken()
    {
        var kept = new Evidence { Law = "everything patched is the clean run", Error = 1e-7, Tolerance = 1e-6 };
        var good = Shown.Document(Patching(Mixed) with { Evidence = kept });
        Assert.Empty(Bad(good));
        Assert.Contains("off by 1e-07", good.Value, StringComparison.Ordinal);
        foreach (var broken in new[] { kept with { Error = 0.5 }, kept with { Error = double.NaN } })
        {
            var bad = Shown.Document(Patching(Mixed) with { Evidence = broken });
            Assert.Equal("the law is broken", Assert.Single(Bad(bad)).Value);
            Assert.Contains("#d6455d", (Patching(Mixed) with { Evidence = broken }).ToSvg(), StringComparison.Ordinal);
        }
        Assert.DoesNotContain("#d6455d", (Patching(Mixed) with { Evidence = kept }).ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_stand_in_the_cells_in_a_color_that_can_be_read()
    {
        var grid = Of(new double[,] { { 0, 1 } }) with { Texts = new[,] { { " low", "high" } } };
        var texts = Shown.Document(grid).Descendants("text").ToDictionary(text => text.Nodes().OfType<XText>().First().Value,
            text => (string?)text.Attribute("style"));
        Assert.Equal(("fill:#ffffff;", "fill:#000000;"), (texts["·low"], texts["high"]));
    }

    [Fact]
    public void A_large_grid_is_one_small_image_that_names_its_largest_cells()
    {
        var values = new double[1500, 700];
        values[1234, 567] = 9;
        var grid = Of(values);
        var page = Shown.Page(grid);
        Assert.InRange(page.Length, 1_000, 100_000);
        var document = Shown.Document(grid);
        Assert.Contains("each cell the largest of 3 × 3", document.Value, StringComparison.Ordinal);
        var image = document.Descendants("image").Single().Attribute("href")!.Value;
        var (width, height, _, rows) = Shown.Decode(Convert.FromBase64String(image.Split(',')[1]));
        Assert.Equal((234, 500, 252), (width, height, rows[(1234 / 3 * (width + 1)) + 1 + (567 / 3)]));
        Assert.Equal("r1234 c567 9", string.Join(' ', document.Descendants("tbody").Single().Elements().First().Elements()
            .Select(cell => cell.Value)));
    }

    [Fact]
    public void Any_text_is_escaped_in_a_page_and_in_a_file()
    {
        var grid = new Grid(Hostile.Text, Hostile.Text, [Hostile.Text], [Hostile.Text], new double[,] { { 1 } })
        {
            RowAxis = Hostile.Text,
            ColumnAxis = Hostile.Text,
            Texts = new[,] { { Hostile.Text } },
            Evidence = new Evidence { Law = Hostile.Text, Error = 2, Notes = [Hostile.Text] },
        };
        Hostile.AssertHarmless(grid);
        Assert.DoesNotContain(XElement.Parse(grid.ToSvg()).Descendants(), one => one.Name.LocalName == "script");
        Assert.NotEmpty(grid.ToPng());
    }

    [Fact]
    public void Empty_and_infinite_grids_are_shown()
    {
        Grid[] odd =
        [
            new("none", "", [], [], new double[0, 0]), Of(new[,] { { double.NaN } }), Of(new double[,] { { 3 } }),
            Of(new[,] { { double.PositiveInfinity, double.NegativeInfinity, 1 } }),
        ];
        foreach (var grid in odd)
        {
            Shown.Document(grid);
            Assert.NotEmpty(Shown.Text(grid));
            XElement.Parse(grid.ToSvg());
        }
    }

    [Fact]
    public void An_exported_figure_stands_alone_and_its_pixels_have_the_colors_of_the_values()
    {
        var grid = Patching(Mixed);
        var svg = XElement.Parse(grid.ToSvg(dark: true));
        Assert.Equal("http://www.w3.org/2000/svg", svg.Name.NamespaceName);
        Assert.Contains(svg.Descendants(), text => text.Value == grid.Title);
        using var image = SKBitmap.Decode(grid.ToPng(scale: 3));
        var (width, height) = ((double)svg.Attribute("width")!, (double)svg.Attribute("height")!);
        Assert.Equal((3 * (int)width, 3 * (int)height), (image.Width, image.Height));
        var box = svg.Descendants().Single(one => one.Value == "layer 1, position The: 2 nats" && one.Name.LocalName == "rect");
        var (x, y) = ((double)box.Attribute("x")! + 4, (double)box.Attribute("y")! + 4);
        Assert.Equal(SKColor.Parse(box.Attribute("fill")!.Value), image.GetPixel((int)(3 * x), (int)(3 * y)));
        Assert.Throws<ArgumentOutOfRangeException>(() => grid.ToPng(scale: 1e6));
    }

    private static IEnumerable<XElement> Bad(XElement page) =>
        page.Descendants().Where(one => ((string?)one.Attribute("class") ?? "").Split(' ').Contains("rk-bad"));

    private static XElement Cell(Grid grid, string title) =>
        Shown.Document(grid).Descendants("rect").Single(cell => cell.Value == title);

    private static Grid Of(double[,] values) => new("numbers", "",
        [.. Enumerable.Range(0, values.GetLength(0)).Select(row => $"r{row}")],
        [.. Enumerable.Range(0, values.GetLength(1)).Select(column => $"c{column}")], values);

    private static Grid Patching(double[,] values) => new("logit difference", "nats", ["0", "1"], ["The", " cat", " sat"], values)
    {
        RowAxis = "layer",
        ColumnAxis = "position",
        Evidence = new Evidence { Law = "patching all is the clean run", Error = 2e-7, Tolerance = 1e-6, ForwardPasses = 7 },
    };
}
