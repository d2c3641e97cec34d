using System.Xml.Linq;
using ResearchKit.Formatting;
using ResearchKit.Results;

namespace ResearchKit.Tests.Formatting;

public sealed class TokenScoresFormattingTests
{
    [Fact]
    public void Page_of_scored_tokens() => Snapshot.Match(Shown.Document(Two()).ToString());

    [Fact]
    public void Text_of_scored_tokens() => Snapshot.Match(Shown.Text(Two()));

    [Fact]
    public void One_of_several_numbers_is_chosen_without_a_script()
    {
        var page = Shown.Document(Two());
        Assert.Empty(page.Descendants("script"));
        var choices = page.Descendants("details").Where(one => one.Attribute("name") is not null).ToList();
        // details of one name close each other; every text is on the page even where a host removes the attribute
        Assert.Single(choices.Select(choice => choice.Attribute("name")!.Value).Distinct());
        Assert.Equal([true, false], choices.Select(choice => choice.Attribute("open") is not null));
        Assert.Equal(["gradient", "loss"], choices.Select(choice => choice.Element("summary")!.Value));
        Assert.All(choices, choice => Assert.Contains("the cat⏎", choice.Value, StringComparison.Ordinal));
        Assert.DoesNotContain(Shown.Document(Of([[1], [2]])).Descendants("details"), one => one.Attribute("name") is not null);
        Assert.NotEqual(choices[0].Attribute("name")!.Value, Shown.Document(Two() with { Title = "other" })
            .Descendants("details").First().Attribute("name")!.Value);
    }

    [Fact]
    public void Shades_grow_with_the_number_and_have_two_colors_only_for_two_signs()
    {
        var both = Spans(Of([[-2], [0], [1]]));
        Assert.Equal(["background:rgba(43,123,206,0.65)", null, "background:rgba(209,73,91,0.33)"], both);
        Assert.Equal([null, "background:rgba(47,116,240,0.65)", null], Spans(Of([[0], [4], [double.NaN]])));
    }

    [Fact]
    public void A_long_text_is_cut_and_the_page_says_so()
    {
        var page = Shown.Page(Of([.. Enumerable.Range(0, 20_000).Select(token => new double[] { token })]));
        Assert.InRange(page.Length, 100_000, 1_500_000);
        Assert.Contains("12,000 more tokens are not shown", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_escaped()
    {
        Hostile.AssertHarmless(new TokenScores(Hostile.Text, Hostile.Text, [Hostile.Text, "b"],
            [new ScoredText([Hostile.Text], new double[,] { { 1, -1 } })]));
        Shown.Document(new TokenScores("none", "", [], []));
        Shown.Document(new TokenScores("none", "", ["a"], [new ScoredText([], new double[0, 1])]));
    }

    [Fact]
    public void A_figure_of_one_number_can_be_exported()
    {
        var svg = XElement.Parse(Two().ToSvg("loss"));
        Assert.Contains(svg.Descendants(), text => text.Value.StartsWith("loss · ", StringComparison.Ordinal));
        Assert.NotEmpty(Two().ToPng());
        var error = Assert.Throws<KeyNotFoundException>(() => Two().ToSvg("losses"));
        Assert.Equal("No score is named 'losses'; there are gradient, loss.", error.Message);
    }

    private static List<string?> Spans(TokenScores scores) =>
        [.. Shown.Document(scores).Descendants("div").First(one => (string?)one.Attribute("class") == "rk-tokens")
            .Elements("span")
            .Select(span => (string?)span.Attribute("style"))];

    private static TokenScores Of(double[][] scores)
    {
        var values = new double[scores.Length, scores[0].Length];
        for (var token = 0; token < scores.Length; token++)
            for (var score = 0; score < scores[0].Length; score++) values[token, score] = scores[token][score];
        return new TokenScores("scores", "", [.. scores[0].Select((_, score) => $"score {score}")],
            [new ScoredText([.. scores.Select((_, token) => $" {token}")], values)]);
    }

    private static TokenScores Two() => new("importance", "nats", ["gradient", "loss"],
        [new ScoredText(["the", " cat", "\n", "sat"], new[,] { { 0.5, 1.25 }, { -1, 0 }, { double.NaN, 0.1 }, { 0, 3 } })])
    {
        Evidence = new Evidence { Notes = ["baseline: padding"], ForwardPasses = 1, BackwardPasses = 2 },
    };
}
