using System.Globalization;

namespace ResearchKit.Formatting;

/// <summary>A series of a plot with logarithmic axes.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">Its points.</param>
/// <param name="IsLine">Whether it is drawn as a line, else as dots.</param>
/// <param name="Color">Number of its color.</param>
internal sealed record LogSeries(string Name, IReadOnlyList<(double X, double Y)> Points, bool IsLine, int Color);

/// <summary>Draws dots and lines over a logarithmic x axis, and a linear or logarithmic y axis.</summary>
internal static class LogPlot
{
    private const int Width = 720, Height = 320, Left = 66, Right = Width - 14, Top = 14, Bottom = Height - 40;

    public static Html Draw(IReadOnlyList<LogSeries> series, string x, string y, bool logarithmicY, string description)
    {
        double Y(double value) => logarithmicY ? Math.Log10(value) : value;
        var points = series.SelectMany(one => one.Points)
            .Where(point => point.X > 0 && double.IsFinite(point.X) && double.IsFinite(Y(point.Y))).ToList();
        if (points.Count == 0) return Html.Of($"<div class=\"rk-cap\">no point to draw</div>");
        var across = new CurveAxis(points.Min(point => Math.Log10(point.X)), points.Max(point => Math.Log10(point.X)), Left,
            Right, 8);
        var low = points.Min(point => Y(point.Y));
        var high = points.Max(point => Y(point.Y));
        var up = new CurveAxis(low - ((high - low) * 0.05), high + ((high - low) * 0.05), Bottom, Top, 6);
        string At((double X, double Y) point) => string.Create(CultureInfo.InvariantCulture,
            $"{across.At(Math.Log10(point.X)):0.#} {up.At(Y(point.Y)):0.#}");
        var grid = up.Ticks.Select(tick => Html.Of($"<path d=\"M{Left} {up.At(tick):0.#}H{Right}\"/>"))
            .Concat(across.Ticks.Select(tick => Html.Of($"<path d=\"M{across.At(tick):0.#} {Top}V{Bottom}\"/>")));
        var numbers = up.Ticks.Select(tick => Html.Of($"<text x=\"{Left - 6}\" y=\"{up.At(tick) + 4:0.#}\" text-anchor=\"end\">"
            + $"{(logarithmicY ? Numbers.Short(Math.Pow(10, tick)) : up.Label(tick))}</text>"))
            .Concat(across.Ticks.Select(tick => Html.Of($"<text x=\"{across.At(tick):0.#}\" y=\"{Bottom + 16}\" "
                + $"text-anchor=\"middle\">{Numbers.Short(Math.Pow(10, tick))}</text>")));
        var drawn = series.Select(one => one.IsLine && one.Points.Count > 0
            ? Html.Of($"<path d=\"M{string.Join('L', one.Points.Select(At))}\" fill=\"none\" "
                + $"stroke=\"{Theme.ColorOf(one.Color)}\" stroke-width=\"1.8\"/>")
            : Html.Of($"{one.Points.Select(point => Html.Of($"<circle cx=\"{across.At(Math.Log10(point.X)):0.#}\" cy=\"{up.At(Y(point.Y)):0.#}\" r=\"3.5\" fill=\"{Theme.ColorOf(one.Color)}\"><title>{one.Name}: {Numbers.Short(point.X)}, {Numbers.Short(point.Y)}</title></circle>"))}"));
        var legend = series.Where(one => one.Name.Length > 0).DistinctBy(one => one.Name).Take(12)
            .Select(one => Html.Of($"<span><i style=\"display:inline-block;width:10px;height:10px;border-radius:50%;background:{Theme.ColorOf(one.Color)}\"></i> {one.Name}</span> "));
        return Html.Of($"""
            <svg class="rk-curve" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" style="max-width:100%;height:auto" role="img" aria-label="{description}">
            <g fill="none" stroke="currentColor" stroke-opacity=".16">{grid}<path d="M{Left} {Top}V{Bottom}H{Right}" stroke-opacity=".5"/></g>{numbers}{drawn}
            <text x="{(Left + Right) / 2}" y="{Height - 6}" text-anchor="middle">{x} (logarithmic)</text>
            <text transform="translate(13 {(Top + Bottom) / 2}) rotate(-90)" text-anchor="middle">{y}</text></svg>
            <div class="rk-cap">{legend}</div>
            """);
    }
}
