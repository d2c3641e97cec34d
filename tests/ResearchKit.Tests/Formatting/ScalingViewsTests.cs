using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Formatting;
using ResearchKit.Models;
using ResearchKit.Scaling;
using ResearchKit.Tests.Scaling;

namespace ResearchKit.Tests.Formatting;

public class ScalingViewsTests
{
    public ScalingViewsTests() => Formatters.Install();

    [Fact]
    public void A_cost_is_a_tree_of_modules_with_equal_blocks_together()
    {
        var cost = ModelCost.Of(() => new Gpt(GptConfig.Nano), 1, 32);
        var html = Html(cost);
        Assert.Contains("0 … 1", html, StringComparison.Ordinal);
        Assert.Contains("forward: attention, causal", html, StringComparison.Ordinal);
        var text = cost.ToDisplayString(PlainTextFormatter.MimeType);
        Assert.Contains("2 × GptBlock", text, StringComparison.Ordinal);
        var memory = MemoryEstimate.Of(() => new Gpt(GptConfig.Nano), [4, 32]);
        Assert.Contains("optimizer state", Html(memory), StringComparison.Ordinal);
    }

    [Fact]
    public void Fits_and_checks_are_drawn_without_scripts()
    {
        var curves = Html(IsoFlopFit.Fit(GoldenScaling.IsoFlopPoints("noiseless")));
        Assert.Equal(4, Count(curves, "stroke-width=\"1.8\""));
        Assert.Equal(36, Count(curves, "<circle"));
        var law = new FitOptions { Starts = [(6, 6, 0.5, 0.35, 0.3)] };
        Assert.Contains("best of each budget", Html(ParametricLaw.Fit(GoldenScaling.Points("noiseless"), law)),
            StringComparison.Ordinal);
        var check = new CoordinateCheck([new("<b>", 32, 1, 0.5), new("<b>", 64, 1, 0.6)]);
        var html = Html(check);
        Assert.Contains("&lt;b&gt;: slope", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
    }

    private static string Html(object value)
    {
        var html = value.ToDisplayString(HtmlFormatter.MimeType);
        XElement.Parse(html.Replace("&nbsp;", " ", StringComparison.Ordinal));   // well formed
        return html;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
