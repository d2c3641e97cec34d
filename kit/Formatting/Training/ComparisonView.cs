using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws several runs in one plot, each labelled with a letter; several seeds of an experiment become a mean
/// with a band.
/// </summary>
internal static class ComparisonView
{
    public static Html Draw(RunComparison comparison)
    {
        var groups = comparison.Groups;
        var series = Series(comparison);
        var legend = groups.Zip(series)
            .Select((pair, index) => CurveView.Entry(index, pair.Second.Name, pair.First.Outcome, pair.Second));
        return CurveView.Page("runs", series, CurveView.Unit(comparison.Runs), $"runs over each other; {comparison}", legend,
            Key(series), lettered: true);
    }

    public static string Figure(RunComparison comparison) =>
        CurveFigure.Json(Series(comparison), CurveView.Unit(comparison.Runs), lettered: true);

    public static string Text(RunComparison comparison) => comparison.Runs.Count == 0 ? comparison.ToString()
        : string.Join('\n', comparison.Groups.Zip(Series(comparison)).SelectMany((pair, index) =>
            CurveView.Courses(pair.Second, "").Prepend(Visible.OneLine($"{CurvePicture.Letter(index)} {pair.First}"))));

    private static List<CurveSeries> Series(RunComparison comparison) =>
        [.. comparison.Groups
            .Select((group, index) => CurveBand.Of(group) with { Name = $"{CurvePicture.Letter(index)} {group.Title}" })];

    private static string Key(List<CurveSeries> series) => string.Join(" · ", new[]
    {
        series.Any(run => run.Raw.Count > 0) ? "thin: each step" : null,
        "thick: average",
        series.Any(run => run.HeldOut.Count > 0) ? "dashed: held-out" : null,
        series.Any(run => run.Band.Count > 0) ? "band and bars: from the lowest seed to the highest" : null,
    }.OfType<string>());
}
