using System.Xml.Linq;
using ResearchKit.Data;
using ResearchKit.Formatting;
using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Formatting;

public sealed class TensorPicturesTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_planes_of_a_tensor_of_any_rank_have_a_slider_for_each_leading_axis()
    {
        var values = arange(2 * 3 * 4 * 5, dtype: float32).view(2, 3, 4, 5);
        var browser = Shown.Document(values).Descendants("div").Single(one => (string?)one.Attribute("class") == "rk-browse");
        Assert.Equal(["1", "2"], browser.Descendants("input").Select(slider => slider.Attribute("max")!.Value));
        // all planes are in one image, below one another, so that they are seen without the script that reveals the sliders
        var png = browser.Descendants("img").Single().Attribute("src")!.Value.Split(',')[1];
        var (width, height, _, rows) = Shown.Decode(Convert.FromBase64String(png));
        Assert.Equal((5, 24), (width, height));
        var scale = new ColorScale(0, 119);
        Assert.Equal(values[1, 2, 3].data<float>().ToArray().Select(value => scale.IndexOf(value)), rows[^5..]);
        Assert.NotNull(browser.Descendants("input").First().Parent!.Parent!.Attribute("hidden"));
        var sampled = Shown.Document(randn(40, 30, 8, 8)).Descendants("div").Single(one =>
            (string?)one.Attribute("class") == "rk-browse");
        Assert.Contains("showing axis 0 at 0, 4, 8 …; axis 1 at ", sampled.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("rk-browse", Shown.Page(randn(4, 5)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_spectrogram_has_time_to_the_right_and_low_pitch_at_the_bottom()
    {
        var features = zeros(7, 3) - 2;   // [frames, bands]
        features[6, 0] = 5;               // the lowest band at the end
        var page = Shown.Document(features.AsSpectrogram(0.01));
        var image = page.Descendants("image").Single().Attribute("href")!.Value;
        var (width, height, _, rows) = Shown.Decode(Convert.FromBase64String(image.Split(',')[1]));
        Assert.Equal((7, 3, 252), (width, height, rows[^1]));
        Assert.Equal(1, rows.Count(index => index == 252));
        Assert.DoesNotContain("white = 0", page.Value, StringComparison.Ordinal);   // sequential, though both signs occur
        Assert.Contains(page.Descendants("text"), text => text.Value == "seconds");
        Assert.Contains(page.Descendants("text"), text => text.Value == "0.07");
        Assert.NotEmpty(features.AsSpectrogram().ToPng());
        XElement.Parse(features.AsSpectrogram().ToSvg());
        Assert.Throws<ArgumentException>(() => zeros(2, 3, 4).AsSpectrogram());
    }

    [Fact]
    public void A_recording_has_a_player_that_needs_no_network()
    {
        var clip = new AudioClip((arange(16_000) / 20.0f).sin().unsqueeze(0), 8_000);
        var page = Shown.Document(clip);
        var address = page.Descendants("audio").Single().Attribute("src")!.Value;
        Shown.AssertSelfContained(Shown.Page(clip));
        using var played = WavFile.Parse(Convert.FromBase64String(address.Split(',')[1]));
        Assert.Equal((8_000, 2.0), (played.SampleRate, played.Seconds));
        Assert.Contains("log-mel", page.Value, StringComparison.Ordinal);
        var longer = new AudioClip(zeros(2, 30 * 44_100), 44_100);
        Assert.Contains("the first 10 of 30 s", Shown.Page(longer), StringComparison.Ordinal);
        Assert.InRange(Shown.Page(longer).Length, 100_000, 600_000);
        Shown.Document(new AudioClip(zeros(1, 0), 8_000));
        Shown.Document(new AudioClip(full([1, 3], float.NaN), 8_000));
    }

    [Fact]
    public void Tokens_are_shown_with_their_texts()
    {
        var tokens = tensor(new long[,] { { 3, 4 }, { 5, 3 } });
        var decoded = tokens.WithText(id => id == 4 ? "<b>" : $" t{id}");
        var pieces = Shown.Document(decoded).Descendants("span").Where(piece => piece.Attribute("title") is not null).ToList();
        Assert.Equal([" t3", "<b>", " t5", " t3"], pieces.Select(piece => piece.Value));
        Assert.Equal("token 4", pieces[1].Attribute("title")!.Value);
        Assert.Equal("·t3:3 <b>:4\n·t5:5 ·t3:3", Shown.Text(decoded));
        Hostile.AssertHarmless(tokens.WithText(_ => Hostile.Text));
        Assert.Contains("9,000 more tokens", Shown.Page(zeros([1, 13_000], int64).WithText(_ => "x")), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => zeros(3).WithText(_ => ""));
    }

    [Fact]
    public void A_weight_has_a_histogram_a_spectrum_and_its_filters()
    {
        var filters = randn(6, 3, 5, 5);
        var weight = WeightSummary.Of(filters, "conv1.weight");
        Assert.Equal(linalg.svdvals(filters.flatten(1).to(float64))[0].item<double>(), weight.SingularValues[0], 1e-9);
        Assert.Equal((6, 6), (weight.SingularValues.Count, weight.Filters.Count));
        Assert.Equal(filters[2, 1, 3, 4].item<float>(), weight.Filters[2][1, 3, 4], 1e-6);
        var page = Shown.Document(weight);
        Assert.Equal(6, page.Descendants("img").Count());
        Assert.Equal(2, page.Descendants("svg").Count());
        Assert.Contains("6 of 6 filters, each stretched to its range", page.Value, StringComparison.Ordinal);
        Assert.Equal(1, WeightSummary.Of(ones(4, 5)).StableRank, 1e-9);
        Assert.Equal(4, WeightSummary.Of(eye(4)).StableRank, 1e-9);
        Assert.Empty(WeightSummary.Of(ones(4)).SingularValues);
        Assert.Contains("2 of 2 filters, 16 of 20 channels each", Shown.Document(WeightSummary.Of(randn(2, 20, 3, 3))).Value,
            StringComparison.Ordinal);
        Hostile.AssertHarmless(WeightSummary.Of(randn(4, 4), Hostile.Text));
        Assert.Throws<ArgumentException>(() => WeightSummary.Of(full([2, 2], float.NaN)));
    }
}
