using System.Text.Json;
using CsCheck;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Formatting;
using ResearchKit.Training;

namespace ResearchKit.Tests.Formatting;

public sealed class CurveFormattingTests
{
    [Fact]
    public void A_curve_is_shown_as_SVG_and_as_an_interactive_figure()
    {
        var run = Run("gpt", 100, step => 4 / Math.Sqrt(step));
        var svg = Shown.Document(run).Descendants("svg").Single();
        Assert.Equal(10, svg.Descendants("circle").Count());
        Assert.Contains("gpt: held-out 1.265 at step 10", svg.Value, StringComparison.Ordinal);
        Assert.Contains("loss (nats per character)", svg.Value, StringComparison.Ordinal);

        using var figure = JsonDocument.Parse(run.ToDisplayString(CurveFigure.MimeType));
        var names = figure.RootElement.GetProperty("data").EnumerateArray().Select(line => line.GetProperty("name").GetString());
        Assert.Equal(["gpt: each step", "gpt: average", "gpt: held-out"], names);
        Assert.Equal("step", figure.RootElement.GetProperty("layout").GetProperty("xaxis").GetProperty("title")
            .GetProperty("text").GetString());
        Assert.Contains(CurveFigure.MimeType, Formatter.GetPreferredMimeTypesFor(typeof(TrainingHistory)));
    }

    [Fact]
    public void Several_runs_share_one_plot()
    {
        TrainingHistory[] runs = [Run("with", 50, step => 1.0 / step), Run("without", 80, _ => 2)];
        foreach (var value in new object[] { runs, runs.ToList(), runs.Where(_ => true) })
        {
            Assert.Single(Shown.Document(value).Descendants("svg"));
            Assert.Equal(6, JsonDocument.Parse(value.ToDisplayString(CurveFigure.MimeType)).RootElement.GetProperty("data")
                .GetArrayLength());
        }
    }

    [Fact]
    public void Any_losses_can_be_shown() => Gen.Select(
        Gen.OneOf(Gen.Double[0, 10], Gen.Double, Gen.Const(double.NaN), Gen.Const(double.PositiveInfinity)).Array[0, 40],
            Gen.Int[1, 20])
        .Sample((losses, every) =>
        {
            var run = new TrainingHistory("run",
                [.. losses.Select((loss, index) => Report(index + 1, losses.Length, loss, index % every == 0 ? loss : null))]);
            var page = Shown.Document(run).ToString();
            Assert.DoesNotContain("NaN ", string.Concat(page.Split("d=\"")[1..].Select(path => path.Split('"')[0])),
                StringComparison.Ordinal);
            Assert.NotEmpty(Shown.Text(run));
            JsonDocument.Parse(run.ToDisplayString(CurveFigure.MimeType)).Dispose();
            Shown.Document(new TrainingProgress(run, TrainingState.Running));
        }, iter: 200, threads: 1);

    [Fact]
    public void A_hundred_thousand_steps_are_downsampled_and_no_spike_is_lost()
    {
        var run = Run("long", 100_000, step => step == 77_777 ? 9 : 1);
        Assert.InRange(Shown.Page(run).Length, 1_000, 60_000);
        var series = CurveSeries.Of(run);
        Assert.InRange(series.Raw.Count, 2, 400);
        Assert.Contains(series.Raw, point => point == new CurvePoint(77_777, 9));
        Assert.Equal(100_000, series.Smooth[^1].Step);
    }

    [Fact]
    public void Names_and_units_are_escaped_as_text()
    {
        var run = Run(Hostile.Text, 20, step => step) with { LossUnit = Hostile.Text };
        Hostile.AssertHarmless(run);
        Hostile.AssertHarmless(new[] { run, run });
        Hostile.AssertHarmless(new TrainingProgress(run, TrainingState.Running));
        Assert.DoesNotContain("<script", run.ToDisplayString(CurveFigure.MimeType), StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_says_where_its_loss_stops_being_finite()
    {
        var run = Run("broken", 30, step => step < 21 ? 1 : double.NaN);
        Assert.Contains("10 steps without a finite loss", Shown.Document(run).Value, StringComparison.Ordinal);
        Assert.Contains("broken: loss is NaN at step 21", Shown.Document(run).Value, StringComparison.Ordinal);
        Assert.Contains("10 steps without a finite loss, the first 21", Shown.Text(run), StringComparison.Ordinal);
    }

    [Fact]
    public void Grid_lines_are_at_round_numbers()
    {
        Assert.Equal(["0", "200", "400", "600", "800"], Labels(new CurveAxis(0, 800, 0, 100, 5)));
        Assert.Equal(["1.5", "2.0", "2.5", "3.0"], Labels(new CurveAxis(1.3, 3.1, 0, 100, 4)));
        Assert.Equal(["-3", "-2", "-1"], Labels(new CurveAxis(-3, -1, 0, 100, 3, whole: true)));
        Assert.Equal(["0", "1"], Labels(new CurveAxis(0, 1, 0, 100, 5, whole: true)));
        Assert.Equal(3, new CurveAxis(2, 2, 0, 100, 4).Ticks.Count(tick => tick is >= 1 and <= 3));
    }

    [Fact]
    public void Text_and_figure_of_a_curve()
    {
        var run = Run("gpt", 40, step => 4 / Math.Sqrt(step));
        Snapshot.Match(Shown.Text(run) + "\n\n" + Shown.Document(run).Descendants("svg").Single());
    }

    private static IEnumerable<string> Labels(CurveAxis axis) => axis.Ticks.Select(axis.Label);

    internal static TrainingHistory Run(string name, int steps, Func<int, double> loss) => new(
        name, [.. Enumerable.Range(1, steps).Select(step => Report(step, steps, loss(step), step % 10 == 0 ? loss(step) : null))],
            "nats per character");

    internal static StepReport Report(int step, int steps, double loss, double? heldOut = null) =>
        new(step, steps, loss, 1e-3, 1, 5120, TimeSpan.FromSeconds(step / 10.0), heldOut);
}
