using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws training runs as a static plot, which a host with Plotly replaces by an interactive one.
/// </summary>
internal static class CurveView
{
    private static readonly Html Script = Html.Script("CurveView.js");

    public static Html Draw(IReadOnlyList<TrainingHistory> histories)
    {
        var runs = histories.Select(CurveSeries.Of).ToList();
        var key = runs.Any(run => run.HeldOut.Count > 0) ? "thin: each step · thick: average · dashed: held-out"
            : "thin: each step · thick: average";
        var legend = histories.Zip(runs)
            .Select((pair, index) => Entry(index, pair.First.Name, Outcome(pair.Second), pair.Second));
        return Page("training", runs, Unit(histories), Describe(histories), legend, key);
    }

    /// <summary>Returns the HTML of some curves: their description and the static plot.</summary>
    public static Html Page(
        string title, IReadOnlyList<CurveSeries> runs, string unit, string description, IEnumerable<Html> legend,
            string key, bool lettered = false)
    {
        var picture = new CurvePicture(runs, unit, 0, 720, 300, lettered).Draw(description);
        var figure = CurveFigure.IsAvailable
            ? Html.Of($"""<div class="rk-figure" data-figure="{CurveFigure.Json(runs, unit, lettered)}">{picture}</div>{Script}""")
            : picture;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{title}</b>{legend}<span class="rk-cap">{key}</span></div>
            {figure}
            """));
    }

    public static string Figure(IReadOnlyList<TrainingHistory> histories) =>
        CurveFigure.Json([.. histories.Select(CurveSeries.Of)], Unit(histories));

    /// <summary>
    /// Describes each run in two or three lines of text, with its loss curve as block characters.
    /// </summary>
    public static string Text(IReadOnlyList<TrainingHistory> histories) =>
        histories.Count == 0 ? "no run" : string.Join('\n', histories.Select(Text));

    private static string Text(TrainingHistory history) =>
        string.Join('\n', Courses(CurveSeries.Of(history), history.LossUnit).Prepend(Visible.OneLine(history.ToString())));

    /// <summary>
    /// Returns the loss curves of a run as lines of text, one for each kind of loss, and a line on values that were
    /// not finite.
    /// </summary>
    public static IEnumerable<string> Courses(CurveSeries series, string unit)
    {
        if (series.Smooth.Count > 0) yield return $"  loss      {Course(series.Smooth)}  {Visible.OneLine(unit)}".TrimEnd();
        if (series.HeldOut.Count > 0)
            yield return $"  held-out  {Course(series.HeldOut)}  best {Numbers.Short(series.HeldOut.Min(point => point.Loss))}";
        if (series.BrokenCount > 0) yield return $"  {Numbers.Count(series.BrokenCount, "step")} without a finite loss, the "
            + $"first {series.Broken[0].Step}";
    }

    private static string Course(IReadOnlyList<CurvePoint> points)
    {
        var stretch = (points.Count + 39) / 40;
        var bars = Sparkline.Text(points.Chunk(stretch).Select(part => part.Average(point => point.Loss)));
        return $"{Numbers.Short(points[0].Loss),7} {bars} {Numbers.Short(points[^1].Loss)}";
    }

    /// <summary>Returns the legend entry of a run.</summary>
    public static Html Entry(int index, string name, string outcome, CurveSeries run)
    {
        var broken = run.BrokenCount == 0 ? Html.Empty
            : Html.Of($" <span class=\"rk-flag rk-bad\">{Numbers.Count(run.BrokenCount, "step")} without a finite loss</span>");
        return Html.Of($"""
            <span><span class="rk-key" style="background:{Theme.ColorOf(index)}"></span>{name}
            <span class="rk-mute rk-num">{outcome}</span>{broken}</span>
            """);
    }

    private static string Outcome(CurveSeries run)
    {
        if (run.Smooth.Count == 0) return "no step yet";
        var held = run.HeldOut.Count == 0 ? "" : $", held-out {Numbers.Short(run.HeldOut[^1].Loss)}";
        return $"loss {Numbers.Short(run.Smooth[^1].Loss)}{held}";
    }

    private static string Describe(IReadOnlyList<TrainingHistory> histories) =>
        $"training curve; {string.Join("; ", histories.Select(history => history.ToString()))}";

    public static string Unit(IReadOnlyList<TrainingHistory> histories) =>
        string.Join(" / ", histories.Select(history => history.LossUnit).Where(unit => unit.Length > 0).Distinct());
}
