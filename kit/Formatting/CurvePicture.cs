using System.Globalization;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>Draws runs as lines over one another: loss against step.</summary>
internal sealed class CurvePicture
{
    private readonly int width;
    private readonly int height;
    private readonly CurveAxis steps;
    private readonly CurveAxis losses;
    private readonly IReadOnlyList<CurveSeries> runs;
    private readonly string unit;

    /// <param name="runs">The runs.</param>
    /// <param name="unit">Unit of the loss.</param>
    /// <param name="lastStep">Where the step axis ends at least.</param>
    /// <param name="width">Of the picture, in pixels.</param>
    /// <param name="height">Of the picture, in pixels.</param>
    public CurvePicture(IReadOnlyList<CurveSeries> runs, string unit, int lastStep, int width, int height)
    {
        (this.runs, this.unit, this.width, this.height) = (runs, unit, width, height);
        var points = runs.SelectMany(run => run.Points).ToList();
        var (low, high) = points.Count == 0 ? (0, 1) : (points.Min(point => point.Loss), points.Max(point => point.Loss));
        var margin = Math.Min((high - low) * 0.04, double.MaxValue);
        var allSteps = points.Concat(runs.SelectMany(run => run.Broken)).Select(point => point.Step).ToList();
        steps = new CurveAxis(0, allSteps.Append(Math.Max(1, lastStep)).Max(), 62, width - 12, Math.Max(3, width / 110), whole: true);
        losses = new CurveAxis(low - margin, high + margin, height - 38, 10, Math.Max(3, height / 55));
    }

    public Html Draw(string description) => Html.Of($"""
        <svg class="rk-curve" width="{width}" height="{height}" viewBox="0 0 {width} {height}" style="max-width:100%;height:auto"
        role="img" aria-label="{description}">{Grid()}{runs.Select((run, index) => Run(run, Theme.ColourOf(index)))}</svg>
        """);

    private Html Grid()
    {
        var (bottom, right) = (height - 38, width - 12);
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

    private Html Run(CurveSeries run, string colour)
    {
        var dots = run.HeldOut.Select(point => Dot(point, run.HeldOut.Count > 60 ? 2 : 3.2, $"{run.Name}: held-out"));
        var single = run.Raw.Count == 1 ? Dot(run.Raw[0], 2.5, $"{run.Name}: loss") : Html.Empty;   // no line to be seen
        var broken = run.Broken.Select(point => Html.Of($"""
            <path d="M{steps.At(point.Step) - 4:0.#} 10h8l-4 7z" fill="{ColourScale.NaN}"><title>{run.Name}: loss is {Numbers.Short(point.Loss)} at step {point.Step:N0}</title></path>
            """));
        return Html.Of($"""
            <g fill="none" stroke="{colour}" stroke-linejoin="round"><path d="{Path(run.Raw)}" stroke-width="1" opacity=".35"/>
            <path d="{Path(run.Smooth)}" stroke-width="1.8"/><path d="{Path(run.HeldOut)}" stroke-width="1.4" stroke-dasharray="5 3"/></g>
            <g fill="{colour}">{dots}{single}</g>{broken}
            """);
    }

    private Html Dot(CurvePoint point, double radius, string what) => Html.Of($"""
        <circle cx="{steps.At(point.Step):0.#}" cy="{losses.At(point.Loss):0.#}" r="{radius}"><title>{what} {Numbers.Short(point.Loss)} at step {point.Step:N0}</title></circle>
        """);

    /// <summary>Written in one go: a live display draws it several times a second.</summary>
    private string Path(IReadOnlyList<CurvePoint> points)
    {
        var path = new StringBuilder(12 * points.Count);
        foreach (var point in points)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{steps.At(point.Step):0.#} {losses.At(point.Loss):0.#}");
        return path.ToString();
    }
}
