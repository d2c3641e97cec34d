using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws a learning-rate sweep: the loss against the logarithm of the learning rate, with the point of steepest
/// descent marked.
/// </summary>
internal static class SweepView
{
    private const int Width = 720, Height = 280, Left = 62, Right = Width - 12, Top = 22, Bottom = Height - 38;

    public static Html Draw(LearningRateSweep sweep)
    {
        var points = sweep.Points.Where(point => double.IsFinite(point.Loss)).ToList();
        if (points.Count == 0)
            return Theme.Output(Html.Of($"<div class=\"rk-line\"><b>learning-rate sweep</b><span>no finite loss</span></div>"));
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>learning-rate sweep</b><span class="rk-num">falls fastest at {Numbers.Short(sweep.Steepest)}</span>
            <span class="rk-num rk-mute">lowest loss {Numbers.Short(points.Min(point => point.Loss))} at {Numbers.Short(points.MinBy(point => point.Loss).LearningRate)}</span>
            <span>{sweep.Verdict}</span></div>
            {Picture(sweep, points)}
            """));
    }

    public static string Text(LearningRateSweep sweep)
    {
        var points = sweep.Points.Where(point => double.IsFinite(point.Loss)).ToList();
        if (points.Count == 0) return "learning-rate sweep: no finite loss";
        var bars = Sparkline.Text(points.Chunk((points.Count + 39) / 40).Select(part => part.Average(point => point.Loss)));
        return $"{sweep}\n  loss  {Numbers.Short(points[0].Loss)} {bars} {Numbers.Short(points[^1].Loss)}  "
            + $"{Visible.OneLine(sweep.LossUnit)}";
    }

    private static Html Picture(LearningRateSweep sweep, List<(double LearningRate, double Loss)> points)
    {
        var first = Math.Log10(points[0].LearningRate);
        var last = Math.Log10(points[^1].LearningRate);
        var low = points.Min(point => point.Loss);
        var high = points.Max(point => point.Loss);
        var rates = new CurveAxis(first, last, Left, Right, 7, whole: last - first >= 2);
        var losses = new CurveAxis(low - ((high - low) * 0.04), high + ((high - low) * 0.04), Bottom, Top, 5);
        var line = string.Join('L', points.Select(point => string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{rates.At(Math.Log10(point.LearningRate)):0.#} {losses.At(point.Loss):0.#}")));
        var grid = losses.Ticks.Select(tick => Html.Of($"<path d=\"M{Left} {losses.At(tick):0.#}H{Right}\"/>"))
            .Concat(rates.Ticks.Select(tick => Html.Of($"<path d=\"M{rates.At(tick):0.#} {Top}V{Bottom}\"/>")));
        var numbers = losses.Ticks.Select(tick =>
            Html.Of($"<text x=\"{Left - 6}\" y=\"{losses.At(tick) + 4:0.#}\" text-anchor=\"end\">{losses.Label(tick)}</text>"))
            .Concat(rates.Ticks.Select(tick => Html.Of($"<text x=\"{rates.At(tick):0.#}\" y=\"{Bottom + 16}\" "
                + $"text-anchor=\"middle\">{Numbers.Short(Math.Pow(10, tick))}</text>")));
        var x = rates.At(Math.Log10(sweep.Steepest));
        var best = sweep.Points.First(point => point.LearningRate == sweep.Steepest);
        return Html.Of($"""
            <svg class="rk-curve" width="{Width}" height="{Height}" viewBox="0 0 {Width} {Height}" style="max-width:100%;height:auto" role="img" aria-label="{sweep}">
            <g fill="none" stroke="currentColor" stroke-opacity=".16">{grid}<path d="M{Left} {Top}V{Bottom}H{Right}" stroke-opacity=".5"/></g>{numbers}
            <path d="M{x:0.#} {Top}V{Bottom}" fill="none" stroke="{Theme.ColorOf(1)}" stroke-width="1.4" stroke-dasharray="5 3"/>
            <path d="M{line}" fill="none" stroke="{Theme.ColorOf(0)}" stroke-width="1.8" stroke-linejoin="round"/>
            <circle cx="{x:0.#}" cy="{losses.At(best.Loss):0.#}" r="4" fill="{Theme.ColorOf(1)}"/>
            <text x="{x:0.#}" y="{Top - 7}" text-anchor="middle">falls fastest: {Numbers.Short(sweep.Steepest)}</text>
            <text x="{(Left + Right) / 2}" y="{Height - 4}" text-anchor="middle">learning rate (logarithmic)</text>
            <text transform="translate(12 {Bottom / 2 + 5}) rotate(-90)" text-anchor="middle">{(sweep.LossUnit.Length == 0 ? "loss" : $"loss ({sweep.LossUnit})")}</text></svg>
            """);
    }
}
