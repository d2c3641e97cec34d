using System.Globalization;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>A static plot with two axes, in the colors of the page.</summary>
internal sealed class PlotFrame
{
    private const int Left = 62, Top = 10, BottomMargin = 40;
    private readonly int width, height;
    private readonly CurveAxis across, up;
    private readonly string xTitle, yTitle;

    public PlotFrame(int width, int height, (double Low, double High) x, (double Low, double High) y, string xTitle,
        string yTitle)
    {
        this.width = width;
        this.height = height;
        this.xTitle = xTitle;
        this.yTitle = yTitle;
        across = new CurveAxis(x.Low, x.High, Left, width - 12, Math.Max(3, width / 80));
        up = new CurveAxis(y.Low, y.High, height - BottomMargin, Top, Math.Max(3, height / 38));
    }

    public double X(double value) => across.At(value);

    public double Y(double value) => up.At(value);

    /// <summary>The lowest and the highest of some numbers, with a margin; NaN is left out.</summary>
    public static (double Low, double High) Range(IEnumerable<double> values)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (var value in values)
        {
            if (!double.IsFinite(value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        if (low > high) return (0, 1);
        var margin = (high - low) * 0.04;
        return (low - margin, high + margin);
    }

    public Html Draw(string description, Html content)
    {
        var bottom = height - BottomMargin;
        var lines = up.Ticks.Select(tick => Html.Of($"<path d=\"M{Left} {up.At(tick):0.#}H{width - 12}\"/>"))
            .Concat(across.Ticks.Select(tick => Html.Of($"<path d=\"M{across.At(tick):0.#} {Top}V{bottom}\"/>")));
        var numbers = up.Ticks.Select(tick => Html.Of(
                $"<text x=\"{Left - 6}\" y=\"{up.At(tick) + 4:0.#}\" text-anchor=\"end\">{up.Label(tick)}</text>"))
            .Concat(across.Ticks.Select(tick => Html.Of(
                $"<text x=\"{across.At(tick):0.#}\" y=\"{bottom + 16}\" text-anchor=\"middle\">{across.Label(tick)}</text>")));
        return Html.Of($"""
            <svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" style="max-width:100%;height:auto" role="img"
            aria-label="{description}"><g fill="none" stroke="currentColor" stroke-opacity=".16">{lines}
            <path d="M{Left} {Top}V{bottom}H{width - 12}" stroke-opacity=".5"/></g>{numbers}
            <text x="{(Left + width - 12) / 2}" y="{height - 6}" text-anchor="middle">{xTitle}</text>
            <text transform="translate(12 {(Top + bottom) / 2}) rotate(-90)" text-anchor="middle">{yTitle}</text>{content}</svg>
            """);
    }

    /// <summary>A line through points.</summary>
    public string Path(IEnumerable<(double X, double Y)> points, bool steps = false)
    {
        var path = new StringBuilder();
        foreach (var (x, y) in points)
        {
            if (steps && path.Length > 0) path.Append(CultureInfo.InvariantCulture, $"H{X(x):0.#}");
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{X(x):0.#} {Y(y):0.#}");
        }
        return path.ToString();
    }

    /// <summary>Dots, colored from low to high.</summary>
    public static Html Dots(IEnumerable<(double X, double Y, double Share)> pixels, double size) => Html.Of(
        $"""
        <g fill="none" stroke-linecap="round" stroke-width="{size}" stroke-opacity=".75">{pixels.GroupBy(point => ValueColors.Level(point.Share))
            .OrderBy(level => level.Key).Select(level => Html.Of($"<path stroke=\"{ValueColors.OfLevel(level.Key)}\" d=\"{Places(level)}\"/>"))}</g>
        """);

    private static string Places(IEnumerable<(double X, double Y, double Share)> pixels)
    {
        var path = new StringBuilder();
        foreach (var (x, y, _) in pixels) path.Append(CultureInfo.InvariantCulture, $"M{x:0.#} {y:0.#}h0");
        return path.ToString();
    }
}
