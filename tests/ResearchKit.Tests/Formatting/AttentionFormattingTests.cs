using System.Text.Json;
using System.Xml.Linq;
using ResearchKit.Formatting;
using ResearchKit.Interpretability;

namespace ResearchKit.Tests.Formatting;

public sealed class AttentionFormattingTests
{
    [Fact]
    public void Every_head_is_a_figure_that_enlarges_without_a_script()
    {
        var document = Shown.Document(Maps(2, 3, 8));
        var heads = document.Descendants("details").Where(one => (string?)one.Attribute("class") == "rk-head").ToList();
        Assert.Equal(6, heads.Count);
        Assert.All(heads, head =>
        {
            // focusable, and opened by a click or Enter, in every browser
            var summary = Assert.Single(head.Elements("summary"));
            Assert.Contains("enlarge", summary.Attribute("aria-label")!.Value, StringComparison.Ordinal);
            Assert.Equal(16, summary.Descendants("i").Count());
            Assert.NotEmpty(summary.Descendants("img").Single().Attribute("alt")!.Value);
        });
    }

    [Fact]
    public void The_figure_and_its_hover_data_hold_the_weights()
    {
        var image = Shown.Document(Maps(1, 1, 4)).Descendants("img").Single();
        var (width, height, _, rows) = Shown.Decode(Convert.FromBase64String(image.Attribute("src")!.Value.Split(',')[1]));
        Assert.Equal((4, 4), (width, height));
        // the opacity of a pixel is weight^0.7, which the script inverts
        Assert.Equal([254, 0, 0, 0, 156, 156, 0, 0], rows.Chunk(5).SelectMany(row => row[1..]).Take(8));
        Assert.Equal(0.5, Math.Pow(156 / 254.0, 1 / 0.7), 2e-3);
        var tokens = JsonSerializer.Deserialize<string[][]>(Shown.Document(Maps(1, 1, 4)).Descendants("div")
            .Single(div => div.Attribute("data-tokens") is not null).Attribute("data-tokens")!.Value)!;
        Assert.Equal(["·t0", "·t1", "·t2", "·t3"], Assert.Single(tokens));
    }

    [Fact]
    public void The_page_stays_small()
    {
        Assert.InRange(Shown.Page(Maps(1, 2, 8)).Length, 1_000, 20_000);
        Assert.InRange(Shown.Page(Maps(6, 6, 64)).Length, 1_000, 1_500_000);
        var crowd = Shown.Document(Maps(30, 30, 40));
        Assert.InRange(crowd.ToString().Length, 1_000, 3_000_000);
        Assert.Contains("the first 400 shown", crowd.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(128, true, 1_000_000)]
    [InlineData(128, false, 2_000_000)]
    [InlineData(512, true, 2_000_000)]
    public void A_large_model_stays_small_and_says_what_is_left_out(int tokens, bool isCausal, int most)
    {
        var maps = Random(12, 12, tokens, isCausal);
        var page = Shown.Page(maps);
        Assert.InRange(page.Length, 100_000, most);
        Assert.Equal(tokens > 128, page.Contains("strongest keys of each query; ", StringComparison.Ordinal));
        Assert.Contains("overview of layers and heads", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_share_that_is_left_out_is_that_of_the_weights_that_are_not_drawn()
    {
        var grids = AttentionGrid.Of(Random(12, 12, 300, isCausal: false).Patterns);
        Assert.All(grids, grid =>
        {
            Assert.All(grid.Weights.Chunk(grid.Columns), row => Assert.Equal(grid.Keys, row.Count(weight => weight > 0)));
            Assert.Equal(1 - (grid.Weights.Sum(weight => (double)weight) / grid.Rows), grid.LeftOut, 1e-3);
        });
        Assert.Equal(0, AttentionGrid.Of(Random(1, 2, 300, isCausal: false).Patterns)[1].LeftOut);
    }

    [Fact]
    public void The_overview_has_a_cell_for_each_head_and_a_head_is_a_grid()
    {
        var maps = Maps(2, 3, 4);
        var overview = maps.Overview();
        Assert.Equal((2, 3), (overview.Rows.Count, overview.Columns.Count));
        Assert.Equal((Math.Log(2) + Math.Log(3) + Math.Log(4)) / 4, overview.Values[1, 2], 1e-6);
        Assert.Equal((1 + 0.5 + (1 / 3.0) + 0.25) / 4, maps.Overview(AttentionStatistic.LargestWeight).Values[0, 0], 1e-6);
        Assert.Equal((0 + 0.5 + 1 + 1.5) / 4, maps.Overview(AttentionStatistic.Distance).Values[0, 0], 1e-6);
        Assert.Equal(0.25, maps.Patterns[0].ToGrid().Values[3, 1]);
        Assert.StartsWith("query, t0, t1", maps.Patterns[0].ToGrid().ToCsv().Replace("\"", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Many_tokens_share_cells_and_the_caption_says_so()
    {
        var document = Shown.Document(Maps(1, 1, 1500));
        Assert.Contains("each cell the largest of 3 × 3 weights", document.Value, StringComparison.Ordinal);
        Assert.InRange(document.ToString().Length, 1_000, 1_500_000);
    }

    [Fact]
    public void Any_token_is_escaped_as_text()
    {
        Hostile.AssertHarmless(Maps(1, 2, 5, _ => Hostile.Text));
        Hostile.AssertHarmless(Maps(1, 1, 3, _ => "\ud83d"));
        Assert.Contains("·a⏎b", Shown.Text(Maps(1, 1, 3, _ => " a\nb")), StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_and_NaN_patterns_are_shown()
    {
        var broken = new float[,] { { float.NaN, 0, 0 }, { 0, 0, 0 } };
        object[] odd =
        [
            new AttentionMaps([]), new AttentionPattern("", 0, 0, [], [], new float[0, 0]),
                new AttentionPattern("", 0, 0, ["a"], [], broken),
            new AttentionPattern("", 0, 0, ["a", "b"], ["x"], new float[2, 1]),
        ];
        foreach (var value in odd)
        {
            Shown.Document(value);
            Assert.NotEmpty(Shown.Text(value));
        }
    }

    [Fact]
    public void Text_of_attention() => Snapshot.Match(Shown.Text(Maps(2, 2, 4)));

    [Fact]
    public void Page_of_one_head()
    {
        var document = Shown.Document(Maps(1, 1, 3));
        document.Descendants("script").Remove();
        document.Descendants("img").Single().Attribute("src")!.Value = "data:…";   // compressed bytes differ between platforms
        Snapshot.Match(document.ToString());
    }

    /// <summary>Heads whose scores are normal, as in a model before training.</summary>
    private static AttentionMaps Random(int layers, int heads, int tokens, bool isCausal)
    {
        var random = new Random(7);
        string[] texts = [.. Enumerable.Range(0, tokens).Select(index => $" t{index}")];
        var few = Enumerable.Range(0, 3).Select(_ => Weights()).ToList();   // making more would take longer than drawing them
        return new AttentionMaps([.. from layer in Enumerable.Range(0, layers)
                                     from head in Enumerable.Range(0, heads)
                                     select new AttentionPattern($"h.{layer}.attn.hook_pattern", layer, head, texts, texts,
                                         few[(layer + head) % 3])]);
        float[,] Weights()
        {
            var weights = new float[tokens, tokens];
            for (var query = 0; query < tokens; query++)
            {
                var sum = 0f;
                for (var key = 0; key < (isCausal ? query + 1 : tokens); key++)
                {
                    var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                    sum += weights[query, key] = (float)Math.Exp(normal);
                }
                for (var key = 0; key < tokens; key++) weights[query, key] /= sum;
            }
            return weights;
        }
    }

    /// <summary>Causal heads that spread evenly over what they see.</summary>
    private static AttentionMaps Maps(int layers, int heads, int tokens, Func<int, string>? text = null)
    {
        var weights = new float[tokens, tokens];
        for (var query = 0; query < tokens; query++)
            for (var key = 0; key <= query; key++) weights[query, key] = 1f / (query + 1);
        string[] texts = [.. Enumerable.Range(0, tokens).Select(text ?? (index => $" t{index}"))];
        return new AttentionMaps([.. from layer in Enumerable.Range(0, layers) from head in Enumerable.Range(0, heads)
                                     select new AttentionPattern($"h.{layer}.attn.hook_pattern", layer, head, texts, texts,
                                         weights)]);
    }
}
