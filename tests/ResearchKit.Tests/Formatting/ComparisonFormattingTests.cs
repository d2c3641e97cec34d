using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Formatting;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Formatting;

public sealed class ComparisonFormattingTests
{
    [Fact]
    public void Several_seeds_are_shown_as_their_mean_and_range()
    {
        var series = CurveBand.Of(Assert.Single(Seeds("adamw", 1, 2, 6).Groups));
        Assert.Equal("adamw · 3 seeds", series.Name);
        Assert.Equal(50, series.Smooth.Count);
        Assert.Equal(new CurvePoint(50, 3), series.Smooth[^1]);
        Assert.Equal(new CurveRange(50, 1, 3, 6), series.Band[^1]);
        Assert.Equal([10, 20, 30, 40, 50], series.HeldOut.Select(point => point.Step));
        Assert.Equal(new CurveRange(50, 1, 3, 6), series.HeldOutBand[^1]);
        Assert.Equal("adamw · 3 seeds: loss 3.0000 (1.0000 to 6.0000), held-out 3.0000 (1.0000 to 6.0000)",
            Seeds("adamw", 1, 2, 6).ToString());
    }

    [Fact]
    public void Seeds_are_averaged_at_the_steps_where_all_have_a_finite_loss()
    {
        var comparison = RunComparison.Of(CurveFormattingTests.Run("gpt", 40, _ => 1),
            CurveFormattingTests.Run("gpt", 30, step => step == 7 ? double.NaN : 3));
        var series = CurveBand.Of(comparison.Groups[0]);
        Assert.Equal(Enumerable.Range(1, 30).Except([7]), series.Smooth.Select(point => point.Step));
        Assert.All(series.Smooth, point => Assert.Equal(2, point.Loss));
        Assert.Equal(1, series.BrokenCount);
        Assert.Contains("1 step without a finite loss", Shown.Document(comparison).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_share_one_plot_and_are_distinguishable_without_color()
    {
        var comparison = new RunComparison([.. Seeds("adamw", 1, 2).Runs, CurveFormattingTests.Run("lion", 50, _ => 1.5)]);
        var svg = Shown.Document(comparison).Descendants("svg").Single();
        Assert.StartsWith("runs over each other; adamw · 2 seeds: loss 1.5000", (string?)svg.Attribute("aria-label"),
            StringComparison.Ordinal);
        Assert.Equal("img", (string?)svg.Attribute("role"));
        var letters = svg.Elements("text").Where(text => text.Attribute("font-weight") is not null).ToList();
        Assert.Equal(["A", "B"], letters.Select(letter => letter.FirstNode!.ToString()).Order());
        var places = letters.Select(letter => double.Parse((string)letter.Attribute("y")!, CultureInfo.InvariantCulture))
            .ToList();
        Assert.InRange(Math.Abs(places[1] - places[0]), 12, 300);   // both end at 1.5, their letters do not lie on one another
        Assert.All(places, place => Assert.InRange(place, 10, 300 - 38));                // nor on the numbers of the axis
        Assert.Single(Filled(svg));
        Assert.Contains("A adamw · 2 seeds", Shown.Document(comparison).Value, StringComparison.Ordinal);
        Assert.Contains("from the lowest seed to the highest", Shown.Document(comparison).Value, StringComparison.Ordinal);
        Assert.Contains("B lion: loss 1.5000, held-out 1.5000\n  loss", Shown.Text(comparison), StringComparison.Ordinal);

        using var figure = JsonDocument.Parse(comparison.ToDisplayString(CurveFigure.MimeType));
        Assert.Equal(
            ["A adamw · 2 seeds: lowest to highest", "A adamw · 2 seeds: average", "A adamw · 2 seeds: held-out",
                "B lion: each step", "B lion: average", "B lion: held-out"],
            figure.RootElement.GetProperty("data").EnumerateArray().Select(line => line.GetProperty("name").GetString()));
        Assert.Equal("toself", figure.RootElement.GetProperty("data")[0].GetProperty("fill").GetString());
        Assert.Equal(["A", "B"],
            figure.RootElement.GetProperty("layout").GetProperty("annotations").EnumerateArray()
            .Select(note => note.GetProperty("text").GetString()));
    }

    [Fact]
    public void Runs_with_few_or_no_steps_or_hostile_names_are_shown()
    {
        foreach (var comparison in new[]
        {
            RunComparison.Of(), RunComparison.Of(new TrainingHistory("none", [])), Seeds(Hostile.Text, 1, 2),
                Seeds("a", double.NaN, 1),
            RunComparison.Of(Enumerable.Range(0, 30).Select(run => CurveFormattingTests.Run($"run {run}", 1, _ => run))),
        })
        {
            Hostile.AssertHarmless(comparison);
            Assert.NotEmpty(comparison.ToString());
            JsonDocument.Parse(comparison.ToDisplayString(CurveFigure.MimeType)).Dispose();
        }
        Assert.Equal("no run", Shown.Text(RunComparison.Of()));
    }

    [Fact]
    public void Runs_from_disk_are_named_by_the_settings_that_differ()
    {
        using var folder = new TemporaryFolder();
        foreach (var (rate, seed) in new[] { (0.1, 1), (0.1, 2), (0.2, 1) })
        {
            var place = folder.PathTo($"{rate}-{seed}");
            foreach (var _ in CurveFormattingTests.Run("", 5, step =>
                rate / step).Reports.WriteTo(Path.Combine(place, "metrics.jsonl"))) { }
            RunFile.Update(place, _ => new RunRecord
            {
                Started = DateTime.UnixEpoch,
                Process = new RunProcess { Id = "0" },
                Runs =
                [
                    new TrainingRun
                    {
                        Name = "study",
                        Started = DateTime.UnixEpoch,
                        Seed = seed,
                        Settings = new Dictionary<string, object> { ["rate"] = rate, ["steps"] = 5, ["sizes"] = new[] { 1, 2 } },
                        History = new Dictionary<string, string> { ["metrics"] = "metrics.jsonl" },
                    },
                ],
            });
        }
        var comparison = RunComparison.Read(Directory.GetDirectories(folder.Path).Order());
        Assert.Equal([("study, rate 0.1", 2), ("study, rate 0.2", 1)],
            comparison.Groups.Select(group => (group.Name, group.Runs.Count)));
        Assert.Equal(0.2 / 5, comparison.Groups[1].Runs[0].Reports[^1].Loss);
        Assert.Throws<FileNotFoundException>(() => RunComparison.Read([folder.Path]));
    }

    private static IEnumerable<XElement> Filled(XElement svg) =>
        svg.Elements("path").Where(path => path.Attribute("fill-opacity") is not null);

    private static RunComparison Seeds(string name, params double[] losses) =>
        RunComparison.Of(losses.Select(loss => CurveFormattingTests.Run(name, 50, _ => loss)));
}
