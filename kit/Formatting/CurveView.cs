using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Draws training runs: a static picture that a host with Plotly turns into an interactive one.</summary>
internal static class CurveView
{
    private static readonly Html Script = Html.Verbatim(
        """
        <script>
        (function () {
          if (!window.Plotly) return;
          var me = document.currentScript;
          var figures = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-figure'));
          figures.forEach(function (home) {
            if (!home || home.dataset.ready) return;
            home.dataset.ready = '1';
            var figure = JSON.parse(home.dataset.figure), picture = home.querySelector('svg'), place = document.createElement('div');
            figure.layout.font = { color: getComputedStyle(home).color };
            home.appendChild(place);
            window.Plotly.newPlot(place, figure.data, figure.layout, { displaylogo: false, responsive: true })
              .then(function () { picture.style.display = 'none'; });
          });
        })();
        </script>
        """);

    public static Html Draw(IReadOnlyList<TrainingHistory> histories)
    {
        var (runs, unit) = (histories.Select(CurveSeries.Of).ToList(), Unit(histories));
        var picture = new CurvePicture(runs, unit, 0, 720, 300).Draw(Describe(histories));
        var key = runs.Any(run => run.HeldOut.Count > 0) ? "thin: each step · thick: average · dashed: held-out" : "thin: each step · thick: average";
        var figure = CurveFigure.IsAvailable
            ? Html.Of($"""<div class="rk-figure" data-figure="{CurveFigure.Json(runs, unit)}">{picture}</div>{Script}""")
            : picture;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>training</b>{Legend(histories, runs)}<span class="rk-cap">{key}</span></div>
            {figure}
            """));
    }

    public static string Figure(IReadOnlyList<TrainingHistory> histories) =>
        CurveFigure.Json([.. histories.Select(CurveSeries.Of)], Unit(histories));

    /// <summary>Each run in two or three lines, its course as block characters.</summary>
    public static string Text(IReadOnlyList<TrainingHistory> histories) =>
        histories.Count == 0 ? "no run" : string.Join('\n', histories.Select(Text));

    private static string Text(TrainingHistory history)
    {
        var lines = new List<string> { Visible.OneLine(history.ToString()) };
        var series = CurveSeries.Of(history);
        if (series.Smooth.Count > 0) lines.Add($"  loss      {Course(series.Smooth)}  {Visible.OneLine(history.LossUnit)}");
        if (series.HeldOut.Count > 0) lines.Add($"  held-out  {Course(series.HeldOut)}  best {Numbers.Short(series.HeldOut.Min(point => point.Loss))}");
        if (series.BrokenCount > 0) lines.Add($"  {Numbers.Count(series.BrokenCount, "step")} without a finite loss, the first {series.Broken[0].Step}");
        return string.Join('\n', lines);
    }

    private static string Course(IReadOnlyList<CurvePoint> points)
    {
        var stretch = (points.Count + 39) / 40;
        var bars = Sparkline.Text(points.Chunk(stretch).Select(part => part.Average(point => point.Loss)));
        return $"{Numbers.Short(points[0].Loss),7} {bars} {Numbers.Short(points[^1].Loss)}";
    }

    private static IEnumerable<Html> Legend(IReadOnlyList<TrainingHistory> histories, List<CurveSeries> runs) =>
        histories.Zip(runs).Select((pair, index) =>
        {
            var (history, run) = pair;
            var broken = run.BrokenCount == 0 ? Html.Empty
                : Html.Of($" <span class=\"rk-flag rk-bad\">{Numbers.Count(run.BrokenCount, "step")} without a finite loss</span>");
            return Html.Of($"""
                <span><span class="rk-key" style="background:{Theme.ColourOf(index)}"></span>{history.Name}
                <span class="rk-mute rk-num">{Outcome(run)}</span>{broken}</span>
                """);
        });

    private static string Outcome(CurveSeries run)
    {
        if (run.Smooth.Count == 0) return "no step yet";
        var held = run.HeldOut.Count == 0 ? "" : $", held-out {Numbers.Short(run.HeldOut[^1].Loss)}";
        return $"loss {Numbers.Short(run.Smooth[^1].Loss)}{held}";
    }

    private static string Describe(IReadOnlyList<TrainingHistory> histories) =>
        $"training curve; {string.Join("; ", histories.Select(history => history.ToString()))}";

    private static string Unit(IReadOnlyList<TrainingHistory> histories) =>
        string.Join(" / ", histories.Select(history => history.LossUnit).Where(unit => unit.Length > 0).Distinct());
}
