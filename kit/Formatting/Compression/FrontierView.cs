using System.Globalization;
using ResearchKit.Compression;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws compressed models as points: their size, and their time where it was measured, against their loss. A line joins the
/// models that no other beats; each point has a letter, which a table explains.
/// </summary>
internal static class FrontierView
{
    private const int Width = 460, Height = 300, Left = 62, Right = Width - 16, Top = 14, Bottom = Height - 40, Most = 26;

    public static Html Draw(CompressionFrontier frontier)
    {
        var points = Shown(frontier);
        if (points.Count == 0)
            return Theme.Output(Html.Of($"<div class=\"rk-line\"><b>frontier</b><span>no finite point</span></div>"));
        var pictures = new List<Html> { Picture(frontier, points, frontier.Best, point => point.Bytes / 1e6, "MB") };
        var timed = points.Where(point => point.Milliseconds is not null).ToList();
        if (timed.Count > 0) pictures.Add(Picture(frontier, timed, frontier.Fastest, point => point.Milliseconds!.Value, "ms"));
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>frontier</b><span>line and full circles: models that no other beats</span></div>
            <div class="rk-many">{pictures}</div>{ResultTableView.Fragment(Table(frontier))}
            """));
    }

    public static string Text(CompressionFrontier frontier) => ResultTableView.Text(Table(frontier));

    private static ResultTable Table(CompressionFrontier frontier)
    {
        var points = Shown(frontier);
        return new ResultTable(["", "model", "megabytes", Loss(frontier), "milliseconds", "frontier"],
            [.. frontier.Points.Select(point => (IReadOnlyList<object?>)
            [
                points.IndexOf(point) is >= 0 and < Most and var index ? CurvePicture.Letter(index) : "", point.Name,
                Math.Round(point.Bytes / 1e6, 3), Math.Round(point.Loss, 4),
                point.Milliseconds is { } time ? Math.Round(time, 3) : null, frontier.Best.Contains(point) ? "yes" : "",
            ])]);
    }

    private static string Loss(CompressionFrontier frontier) =>
        frontier.LossUnit.Length == 0 ? "loss" : $"loss ({Visible.OneLine(frontier.LossUnit)})";

    private static List<FrontierPoint> Shown(CompressionFrontier frontier) =>
        [.. frontier.Points.Where(point => double.IsFinite(point.Loss) && double.IsFinite(point.Bytes))];

    private static Html Picture(CompressionFrontier frontier, List<FrontierPoint> points, IReadOnlyList<FrontierPoint> best,
        Func<FrontierPoint, double> cost, string unit)
    {
        var letters = Shown(frontier);
        var across = new CurveAxis(0, points.Max(cost) * 1.06, Left, Right, 6);
        var low = points.Min(point => point.Loss);
        var margin = Math.Max(1e-9, points.Max(point => point.Loss) - low) * 0.08;
        var up = new CurveAxis(low - margin, points.Max(point => point.Loss) + margin, Bottom, Top, 5);
        string Place(FrontierPoint point) =>
            string.Create(CultureInfo.InvariantCulture, $"{across.At(cost(point)):0.#} {up.At(point.Loss):0.#}");
        var line = string.Join('L', best.Where(points.Contains).Select(Place));
        var grid = up.Ticks.Select(tick => Html.Of($"<path d=\"M{Left} {up.At(tick):0.#}H{Right}\"/>"))
            .Concat(across.Ticks.Select(tick => Html.Of($"<path d=\"M{across.At(tick):0.#} {Top}V{Bottom}\"/>")));
        var numbers = up.Ticks.Select(tick =>
            Html.Of($"<text x=\"{Left - 6}\" y=\"{up.At(tick) + 4:0.#}\" text-anchor=\"end\">{up.Label(tick)}</text>"))
            .Concat(across.Ticks.Select(tick => Html.Of($"<text x=\"{across.At(tick):0.#}\" y=\"{Bottom + 16}\" "
                + $"text-anchor=\"middle\">{across.Label(tick)}</text>")));
        var marks = points.Select(point => Html.Of($"""
            <circle cx="{across.At(cost(point)):0.#}" cy="{up.At(point.Loss):0.#}" r="4" stroke="{Theme.ColorOf(0)}" stroke-width="1.5" fill="{(best.Contains(point) ? Theme.ColorOf(0) : "none")}"><title>{Visible.OneLine(point.ToString())}</title></circle>
            <text x="{across.At(cost(point)) + 7:0.#}" y="{up.At(point.Loss) - 5:0.#}">{(letters.IndexOf(point) is < Most and var index ? CurvePicture.Letter(index) : "")}</text>
            """));
        return Html.Of($"""
            <svg class="rk-curve" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" style="max-width:100%;height:auto" role="img" aria-label="{unit} against loss of {points.Count} models">
            <g fill="none" stroke="currentColor" stroke-opacity=".16">{grid}<path d="M{Left} {Top}V{Bottom}H{Right}" stroke-opacity=".5"/></g>{numbers}
            <path d="M{line}" fill="none" stroke="{Theme.ColorOf(0)}" stroke-width="1.4" stroke-opacity=".6"/>{marks}
            <text x="{(Left + Right) / 2}" y="{Height - 6}" text-anchor="middle">{unit}</text>
            <text transform="translate(12 {(Top + Bottom) / 2}) rotate(-90)" text-anchor="middle">{Loss(frontier)}</text></svg>
            """);
    }
}
