using System.Globalization;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>Draws runs as lines in one static plot: loss against step.</summary>
internal sealed class CurvePicture
{
    private readonly int width;
    private readonly int height;
    private readonly CurveAxis steps;
    private readonly CurveAxis losses;
    private readonly IReadOnlyList<CurveSeries> runs;
    private readonly string unit;
    private readonly bool lettered;

    /// <param name="runs">The runs.</param>
    /// <param name="unit">Unit of the loss.</param>
    /// <param name="lastStep">Minimum end of the step axis.</param>
    /// <param name="width">Width of the plot in pixels.</param>
    /// <param name="height">Height of the plot in pixels.</param>
    /// <param name="lettered">
    /// Whether each line is labelled with a letter at its end, for readers who cannot distinguish the colors.
    /// </param>
    public CurvePicture(IReadOnlyList<CurveSeries> runs, string unit, int lastStep, int width, int height, bool lettered = false)
    {
        this.runs = runs;
        this.unit = unit;
        this.width = width;
        this.height = height;
        this.lettered = lettered;
        var points = runs.SelectMany(run => run.Points).ToList();
        var (low, high) = points.Count == 0 ? (0, 1) : (points.Min(point => point.Loss), points.Max(point => point.Loss));
        var margin = Math.Min((high - low) * 0.04, double.MaxValue);
        var allSteps = points.Concat(runs.SelectMany(run => run.Broken)).Select(point => point.Step).ToList();
        steps = new CurveAxis(0, allSteps.Append(Math.Max(1, lastStep)).Max(), 62, Right, Math.Max(3, width / 110), whole: true);
        losses = new CurveAxis(low - margin, high + margin, height - 38, 10, Math.Max(3, height / 55));
    }

    /// <summary>Returns the label at the end of a line: A, B, …; numbers after Z.</summary>
    public static string Letter(int run) => run < 26 ? $"{(char)('A' + run)}" : $"{run + 1}";

    private int Right => width - (lettered ? 26 : 12);

    public Html Draw(string description) => Html.Of($"""
        <svg class="rk-curve" width="{width}" height="{height}" viewBox="0 0 {width} {height}" style="max-width:100%;height:auto"
        role="img" aria-label="{description}">{Grid()}{runs.Select((run, index) => Run(run, Theme.ColorOf(index)))}{(lettered ? Letters() : [])}</svg>
        """);

    private Html Grid()
    {
        var bottom = height - 38;
        var right = Right;
        var across = losses.Ticks.Select(tick => Html.Of($"<path d=\"M62 {losses.At(tick):0.#}H{right}\"/>"));
        var down = steps.Ticks.Select(tick => Html.Of($"<path d=\"M{steps.At(tick):0.#} 10V{bottom}\"/>"));
        var numbers = losses.Ticks.Select(tick => Html.Of(
                $"<text x=\"56\" y=\"{losses.At(tick) + 4:0.#}\" text-anchor=\"end\">{losses.Label(tick)}</text>"))
            .Concat(steps.Ticks.Select(tick => Html.Of(
                $"<text x=\"{steps.At(tick):0.#}\" y=\"{bottom + 16}\" text-anchor=\"middle\">{steps.Label(tick)}</text>")));
        return Html.Of($"""
            <g fill="none" stroke="currentColor" stroke-opacity=".16">{across}{down}<path d="M62 10V{bottom}H{right}" stroke-opacity=".5"/></g>
            {numbers}<text x="{(62 + right) / 2}" y="{height - 4}" text-anchor="middle">step</text>
            <text transform="translate(12 {bottom / 2 + 5}) rotate(-90)" text-anchor="middle">{(unit.Length == 0 ? "loss" : $"loss ({unit})")}</text>
            """);
    }

    private Html Run(CurveSeries run, string color)
    {
        var dots = run.HeldOut.Select(point => Dot(point, run.HeldOut.Count > 60 ? 2 : 3.2, $"{run.Name}: held-out"));
        // a single point makes no visible line
        var single = run.Raw.Count == 1 ? Dot(run.Raw[0], 2.5, $"{run.Name}: loss") : Html.Empty;
        var broken = run.Broken.Select(point => Html.Of($"""
            <path d="M{steps.At(point.Step) - 4:0.#} 10h8l-4 7z" fill="{ColorScale.NaN}"><title>{run.Name}: loss is {Numbers.Short(point.Loss)} at step {point.Step:N0}</title></path>
            """));
        return Html.Of($"""
            {Band(run, color)}<g fill="none" stroke="{color}" stroke-linejoin="round"><path d="{Path(run.Raw)}" stroke-width="1" opacity=".35"/>
            <path d="{Path(run.Smooth)}" stroke-width="1.8"/><path d="{Path(run.HeldOut)}" stroke-width="1.4" stroke-dasharray="5 3"/></g>
            <g fill="{color}">{dots}{single}</g>{broken}
            """);
    }

    /// <summary>Draws the band between the lowest and the highest seed, and bars for held-out data.</summary>
    private Html Band(CurveSeries run, string color)
    {
        if (run.Band.Count == 0) return Html.Empty;
        var around = run.Band.Select(range => new CurvePoint(range.Step, range.Low))
            .Concat(run.Band.Reverse().Select(range => new CurvePoint(range.Step, range.High)));
        var bars = string.Concat(run.HeldOutBand.Select(range => string.Create(CultureInfo.InvariantCulture,
            $"M{steps.At(range.Step):0.#} {losses.At(range.Low):0.#}V{losses.At(range.High):0.#}")));
        return Html.Of($"""
            <path d="{Path([.. around])}Z" fill="{color}" fill-opacity=".2"/><path d="{bars}" fill="none" stroke="{color}"/>
            """);
    }

    /// <summary>
    /// Returns the last point of each line, its y position, and the y position of its letter, which is moved up
    /// where letters would overlap.
    /// </summary>
    public IEnumerable<(int Run, CurvePoint Point, double Y, double LetterY)> Ends()
    {
        const double Apart = 12;
        var ends = runs.Select((run, index) => (Run: index, run.Smooth)).Where(run => run.Smooth.Count > 0)
            .Select(run => (run.Run, Point: run.Smooth[^1], Y: losses.At(run.Smooth[^1].Loss)));
        foreach (var column in ends.GroupBy(end => (int)(steps.At(end.Point.Step) / Apart)))
        {
            var lowest = height - 44.0;
            foreach (var end in column.OrderByDescending(end => end.Y))
            {
                var place = Math.Min(end.Y, lowest);
                lowest = place - Apart;
                yield return (end.Run, end.Point, end.Y, place);
            }
        }
    }

    private IEnumerable<Html> Letters() => Ends().Select(end => Html.Of($"""
        <text x="{steps.At(end.Point.Step) + 5:0.#}" y="{end.LetterY + 4:0.#}" font-weight="600">{Letter(end.Run)}<title>{runs[end.Run].Name}</title></text>
        """));

    private Html Dot(CurvePoint point, double radius, string what) => Html.Of($"""
        <circle cx="{steps.At(point.Step):0.#}" cy="{losses.At(point.Loss):0.#}" r="{radius}"><title>{what} {Numbers.Short(point.Loss)} at step {point.Step:N0}</title></circle>
        """);

    /// <summary>
    /// Writes an SVG path with a single string builder, because a live display draws it several times a second.
    /// </summary>
    private string Path(IReadOnlyList<CurvePoint> points)
    {
        var path = new StringBuilder(12 * points.Count);
        foreach (var point in points)
            path.Append(CultureInfo.InvariantCulture,
                $"{(path.Length == 0 ? 'M' : 'L')}{steps.At(point.Step):0.#} {losses.At(point.Loss):0.#}");
        return path.ToString();
    }
}
