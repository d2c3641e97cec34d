using System.Text.Json;
using System.Xml.Linq;
using ResearchKit.Interpretability;

namespace ResearchKit.Tests.Formatting;

public sealed class AttentionFormattingTests
{
    [Fact]
    public void Every_head_is_a_figure_that_enlarges_without_a_script()
    {
        var document = Shown.Document(Maps(2, 3, 8));
        var heads = document.Descendants("details").ToList();
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
        var weights = Convert.FromBase64String(image.Attribute("data-w")!.Value);
        Assert.Equal((4, 4), (width, height));
        Assert.Equal([254, 0, 0, 0, 127, 127, 0, 0], weights[..8]);
        // the highest weight is 1, so the shades are the weights
        Assert.Equal(weights, rows.Chunk(5).SelectMany(row => row[1..]));
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
