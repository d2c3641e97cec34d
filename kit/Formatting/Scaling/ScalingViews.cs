using ResearchKit.Scaling;

namespace ResearchKit.Formatting;

/// <summary>Shows costs, fits, studies and coordinate checks.</summary>
internal static class ScalingViews
{
    private const int MostCurves = 12;

    public static void RegisterAll()
    {
        Formatters.Register<ModelCost>(CostView.Draw, CostView.Text);
        Formatters.Register<MemoryEstimate>(memory => ResultTableView.Draw(CostView.Memory(memory)),
            memory => ResultTableView.Text(CostView.Memory(memory)));
        Formatters.Register<ParametricFit>(Fit, fit => Visible.Lines(fit.ToString()));
        Formatters.Register<IsoFlopFit>(IsoFlop, fit => Visible.Lines(fit.ToString()));
        Formatters.Register<CoordinateCheck>(Coordinates, check => Visible.Lines(check.ToString()));
        Formatters.Register<StudyResult>(study => ResultTableView.Draw(study.Table()), study => Visible.Lines(study.ToString()));
    }

    /// <summary>
    /// Loss over operations, a color for each decade of parameters, with the best loss of each budget as a line.
    /// </summary>
    private static Html Fit(ParametricFit fit)
    {
        var budgets = fit.Points.Select(point => point.Compute).Order().ToList();
        var frontier = Steps(budgets[0], budgets[^1]).Select(compute => (compute, fit.Law.Optimum(compute).Loss)).ToList();
        List<LogSeries> series = [new("best of each budget", frontier, IsLine: true, 1), new("runs",
            [.. fit.Points.Select(point => (point.Compute, point.Loss))], IsLine: false, 0)];
        var held = fit.HeldOut is { } error ? $"held-out error {Numbers.Short(100 * error.MeanRelative)} %" : "";
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{fit.Law}</b><span class="rk-num rk-mute">{Numbers.Count(fit.Points.Count, "point")} · error {Numbers.Short(100 * fit.Residual.MeanRelative)} %</span>
            <span class="rk-num rk-mute">{held}</span></div>
            {LogPlot.Draw(series, "operations", "loss (nats per token)", logarithmicY: false, fit.ToString())}
            """));
    }

    private static Html IsoFlop(IsoFlopFit fit)
    {
        var series = fit.Curves.Take(MostCurves).SelectMany((curve, index) => new LogSeries[]
        {
            new($"C {Numbers.Short(curve.Compute)}", [.. Steps(curve.Points.Min(point => point.Parameters),
                curve.Points.Max(point => point.Parameters))
                .Select(size => (size, curve.Predict(size)))], IsLine: true, index),
            new("", [.. curve.Points.Select(point => (point.Parameters, point.Loss))], IsLine: false, index),
        }).ToList();
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>isoFLOP curves</b><span class="rk-num">{fit}</span></div>
            {LogPlot.Draw(series, "parameters", "loss (nats per token)", logarithmicY: false, fit.ToString())}
            """));
    }

    private static Html Coordinates(CoordinateCheck check)
    {
        var series = check.Layers.Take(MostCurves)
            .Select((layer, index) => new LogSeries($"{layer}: slope {Numbers.Short(check.Slope(layer))}",
            [.. check.Sizes.Where(size => size.Layer == layer && size.Step == check.Steps).OrderBy(size => size.Width)
                .Select(size => ((double)size.Width, size.Size))], IsLine: true, index)).ToList();
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>coordinate check</b><span class="rk-num rk-mute">mean magnitude of activations after {Numbers.Count(check.Steps, "step")}</span></div>
            {LogPlot.Draw(series, "width", "mean magnitude", logarithmicY: true, check.ToString())}
            """));
    }

    private static IEnumerable<double> Steps(double low, double high) =>
        Enumerable.Range(0, 41).Select(step => low * Math.Pow(high / low, step / 40.0));
}
