using System.Globalization;
using System.Xml.Linq;
using ResearchKit.Training;

namespace ResearchKit.Tests.Formatting;

/// <summary>Views of what one asks a model before a run: sweep, one batch, norms.</summary>
public sealed class RunViewTests
{
    [Fact]
    public void A_sweep_marks_where_the_loss_falls_fastest()
    {
        var sweep = new LearningRateSweep([(1e-5, 4), (1e-4, 3.9), (1e-3, 2), (1e-2, 1.5), (1e-1, 6)]);
        var svg = Shown.Document(sweep).Descendants("svg").Single();
        Assert.Equal(sweep.ToString(), (string?)svg.Attribute("aria-label"));
        Assert.Contains("falls fastest: 0.001", svg.Value, StringComparison.Ordinal);
        var dot = svg.Elements("circle").Single();
        // in the middle of the logarithms
        Assert.Equal(62 + (646 / 2.0), double.Parse((string)dot.Attribute("cx")!, CultureInfo.InvariantCulture), 1);
        Assert.Equal(["1e-5", "1e-4", "0.001", "0.01", "0.1"],
            svg.Elements("text").Select(text => text.Value)
            .Where(text => text is "1e-5" or "1e-4" or "0.001" or "0.01" or "0.1"));
        Assert.Contains("steepest at 1.0e-3; take about 1.0e-3: the loss falls fastest at 1.0e-3 and is lowest at 1.0e-2, beyond "
            + "which it rises\n  loss  4 ", Shown.Text(sweep), StringComparison.Ordinal);
        Hostile.AssertHarmless(sweep with { LossUnit = Hostile.Text });
    }

    [Fact]
    public void A_sweep_with_one_or_no_point_or_without_a_finite_loss_is_shown()
    {
        foreach (var sweep in new LearningRateSweep[] { new([]), new([(1e-3, 2)]), new([(1e-3, double.NaN)]),
            new([(1e-3, 2), (1e-2, double.PositiveInfinity)]) })
        {
            Assert.DoesNotContain("NaN",
                string.Concat(Shown.Document(sweep).Descendants("path").Attributes("d").Select(path => path.Value)),
                StringComparison.Ordinal);
            Assert.NotEmpty(Shown.Text(sweep));
        }
    }

    [Fact]
    public void Norms_are_shown_as_a_table_with_bars()
    {
        ModuleNorms[] norms =
            [new("", null, null, 2), new("h.0", 10, 1e-4, 1), new("h.1", 20, 1e-2, double.NaN), new(Hostile.Text, 1, 0, null)];
        var rows = Shown.Document(norms).Descendants("tr").Skip(1).ToList();
        Assert.Equal(["(model)", "h.0", "h.1"], rows.Take(3).Select(row => row.Elements("td").First().Value));
        double? Bar(int row, int column) =>
            rows[row].Elements("td").ElementAt(column).Descendants("rect").SingleOrDefault() is { } bar
            ? double.Parse((string)bar.Attribute("width")!, CultureInfo.InvariantCulture) : null;
        // gradients: none, smallest, largest, zero
        Assert.Equal([null, 2.0, 90.0, null], Enumerable.Range(0, 4).Select(row => Bar(row, 4)));
        Assert.Equal("""
            module   weight  gradient  activation
            (model)       –         –           2
            h.0          10      1e-4           1
            """.ReplaceLineEndings("\n"), Shown.Text(norms[..2]));
        Hostile.AssertHarmless(norms);
        Hostile.AssertHarmless(norms[3]);
        Assert.Contains("10", Shown.Text(norms[1]), StringComparison.Ordinal);
        Assert.NotEmpty(Shown.Text(Array.Empty<ModuleNorms>()));
        Shown.Document(Array.Empty<ModuleNorms>());
    }

    [Fact]
    public void An_overfit_check_says_whether_it_passed()
    {
        Assert.Contains("yes", Shown.Text(new OverfitCheck(4, 0.2, 31, true)), StringComparison.Ordinal);
        Assert.Contains("verdictthe loss", Shown.Document(new OverfitCheck(4, 3.9, 200, false)).Value,
            StringComparison.Ordinal);
    }
}
