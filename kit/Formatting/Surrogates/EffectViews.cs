using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>Draws curves of one feature, dependence plots, reliability diagrams and bars of scores.</summary>
internal static class EffectViews
{
    private const int Width = 520, Height = 280, MostBars = 30, MostDots = 1000;

    public static Html Draw(FeatureEffect effect)
    {
        var frame = new PlotFrame(Width, Height, PlotFrame.Range(effect.Grid),
            PlotFrame.Range(effect.Values.Concat(effect.Individuals.Take(60).SelectMany(curve => curve))),
            Visible.OneLine(effect.Feature), Visible.OneLine(effect.Method));
        var curves = effect.Individuals.Take(60).Select(curve => Html.Of(
            $"<path d=\"{frame.Path(effect.Grid.Zip(curve))}\" stroke=\"currentColor\" stroke-opacity=\".22\"/>"));
        var content = Html.Of($"""
            <g fill="none">{curves}<path d="{frame.Path(effect.Grid.Zip(effect.Values))}" stroke="var(--rk-accent)" stroke-width="2.4"/></g>
            """);
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(effect.Method)}</b><span class="rk-mute">{Visible.OneLine(effect.Feature)}</span></div>
            {frame.Draw(Visible.OneLine(effect.ToString()), content)}
            """));
    }

    public static Html Draw(Dependence plot)
    {
        var rows = CurveSeries.Every(Enumerable.Range(0, plot.Values.Count).Where(row =>
            double.IsFinite(plot.Values[row])).ToList(), MostDots);
        var shares = ValueColors.Shares(plot.ColorValues);
        var frame = new PlotFrame(Width, Height, PlotFrame.Range(rows.Select(row => plot.Values[row])),
            PlotFrame.Range(rows.Select(row => plot.Contributions[row])), Visible.OneLine(plot.Feature),
            $"contribution{WaterfallView.Unit(plot.Unit)}");
        var dots = PlotFrame.Dots(rows.Select(row => (frame.X(plot.Values[row]), frame.Y(plot.Contributions[row]), shares[row])),
            5);
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>dependence</b><span class="rk-mute">{Visible.OneLine(plot.Feature)}</span></div>
            {frame.Draw(Visible.OneLine(plot.ToString()), dots)}{ValueColors.Legend(Visible.OneLine(plot.Color))}
            """));
    }

    public static Html Draw(ReliabilityDiagram diagram)
    {
        var frame = new PlotFrame(340, 320, (0, 1), (0, 1), "confidence", "accuracy");
        var most = Math.Max(1, diagram.Bins.Max(bin => bin.Count));
        var bars = diagram.Bins.Where(bin => bin.Count > 0).Select(bin => Html.Of($"""
            <g><title>confidence {bin.Confidence:0.000}, accuracy {bin.Accuracy:0.000}, {Numbers.Count(bin.Count, "prediction")}</title>
            <rect x="{frame.X(bin.Low):0.#}" y="{frame.Y(bin.Accuracy):0.#}" width="{frame.X(bin.High) - frame.X(bin.Low) - 1:0.#}" height="{frame.Y(0) - frame.Y(bin.Accuracy):0.#}" fill="var(--rk-accent)" fill-opacity="{0.25 + (0.6 * bin.Count / most):0.##}"/>
            <circle cx="{frame.X(bin.Confidence):0.#}" cy="{frame.Y(bin.Accuracy):0.#}" r="3" fill="{ValueColors.Positive}"/></g>
            """));
        var content = Html.Of($"""
            {bars}<path d="M{frame.X(0):0.#} {frame.Y(0):0.#}L{frame.X(1):0.#} {frame.Y(1):0.#}" stroke="currentColor" stroke-dasharray="4 4" fill="none"/>
            """);
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>reliability</b><span class="rk-num">calibration error {diagram.CalibrationError:0.0000}</span>
            <span class="rk-flag {(diagram.IsMiscalibrated ? "rk-bad" : "")}">{(diagram.IsMiscalibrated ? "miscalibrated" : "as calibrated predictions")}</span></div>
            {frame.Draw(Visible.OneLine(diagram.ToString()), content)}<div class="rk-cap">{Numbers.Count(diagram.Count, "prediction")}; calibrated
            ones would have an error of {diagram.ExpectedIfCalibrated:0.0000} on average, and up to {diagram.UpperIfCalibrated:0.0000} in 95 % of the cases. The shade is the number of predictions.</div>
            """));
    }

    public static Html Draw(FeatureScores scores)
    {
        const int Names = 220, Row = 20;
        var shown = scores.Best(MostBars);
        var height = (shown.Count * Row) + 8;
        var largest = shown.Select(feature => Math.Abs(scores.Values[feature])).Where(double.IsFinite).Append(1e-300).Max();
        var bars = shown.Select((feature, at) =>
        {
            var value = scores.Values[feature];
            var length = double.IsFinite(value) ? Math.Abs(value) / largest * 320 : 0;
            var spread = scores.Deviations.Count > 0 ? scores.Deviations[feature] / largest * 320 : 0;
            var y = at * Row;
            var name = Visible.OneLine(scores.FeatureNames[feature]);
            return Html.Of($"""
                <text x="{Names - 6}" y="{y + 14}" text-anchor="end">{WaterfallView.Shortened(name, 34)}<title>{name}</title></text>
                <rect x="{Names}" y="{y + 3}" width="{Math.Max(0.5, length):0.#}" height="14" rx="2" fill="{(value >= 0 ? "var(--rk-accent)" : ValueColors.Positive)}"/>
                <path d="M{Names + Math.Max(0, length - spread):0.#} {y + 10}H{Names + length + spread:0.#}" stroke="currentColor"/>
                <text x="{Names + length + spread + 6:0.#}" y="{y + 14}">{Numbers.Short(value)}</text>
                """);
        });
        var more = scores.Values.Count > shown.Count
            ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(scores.Values.Count - shown.Count)} more are not shown</div>")
            : Html.Empty;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(scores.Method)}</b><span class="rk-mute">{Visible.OneLine(scores.Unit)}</span></div>
            <svg width="640" height="{height}" viewBox="0 0 640 {height}" style="max-width:100%;height:auto" role="img" aria-label="{Visible.OneLine(scores.ToString())}">{bars}</svg>{more}
            """));
    }
}
