using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>Draws the terms of an explainable boosting machine: the most important shapes and pairs.</summary>
internal static class BoostingView
{
    private const int MostTerms = 9;

    public static Html Draw(ExplainableBoosting model)
    {
        var terms = model.Importances.Best(MostTerms);
        var range = PlotFrame.Range(terms.Where(term => term < model.Shapes.Count).SelectMany(term => Reach(model.Shapes[term])));
        var drawn = terms.Select(term => term < model.Shapes.Count ? Shape(model.Shapes[term], range)
            : Pair(model.Pairs[term - model.Shapes.Count]));
        var hidden = model.Importances.Values.Count - terms.Count;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>explainable boosting</b><span class="rk-num">intercept {Numbers.Short(model.Intercept)}</span>
            <span class="rk-mute">{Numbers.Count(model.Shapes.Count, "feature")}, {Numbers.Count(model.Pairs.Count, "pair")}; the prediction is the sum of all terms</span></div>
            <div class="rk-many">{drawn}</div>{(hidden > 0 ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(hidden, "term")} of smaller mean are not shown</div>") : Html.Empty)}
            """));
    }

    public static Html Draw(ShapeFunction shape) => Theme.Output(Shape(shape, PlotFrame.Range(Reach(shape))));

    private static IEnumerable<double> Reach(ShapeFunction shape) => shape.Values.Zip(shape.Deviations)
        .SelectMany(bin => new[] { bin.First - bin.Second, bin.First + bin.Second });

    public static Html Draw(PairFunction pair) => Theme.Output(Pair(pair));

    private static Html Shape(ShapeFunction shape, (double Low, double High) range)
    {
        var edges = shape.Cuts.Prepend(shape.Low).Append(shape.High).ToList();
        var frame = new PlotFrame(320, 190, PlotFrame.Range([shape.Low, shape.High]), range, Visible.OneLine(shape.Name), "term");
        IEnumerable<(double, double)> Steps(Func<int, double> value) => edges.SkipLast(1)
            .Select((edge, bin) => (edge, value(bin))).Append((edges[^1], value(shape.Values.Count - 1)));
        var band = frame.Path(Steps(bin => shape.Values[bin] + shape.Deviations[bin]), steps: true);
        var under = frame.Path(Steps(bin => shape.Values[bin] - shape.Deviations[bin]), steps: true);
        var content = Html.Of($"""
            <g fill="none" stroke="var(--rk-accent)"><path d="{band}" stroke-opacity=".35"/><path d="{under}" stroke-opacity=".35"/>
            <path d="{frame.Path(Steps(bin => shape.Values[bin]), steps: true)}" stroke-width="2"/></g>
            """);
        return Html.Of($"<figure>{frame.Draw(Visible.OneLine(shape.ToString()), content)}</figure>");
    }

    private static Html Pair(PairFunction pair)
    {
        var (rows, columns) = (pair.Values.GetLength(0), pair.Values.GetLength(1));
        var largest = Math.Max(1e-300, pair.Values.Cast<double>().Max(Math.Abs));
        var (width, height) = (250.0 / columns, 140.0 / rows);
        var cells = Enumerable.Range(0, rows * columns).Select(cell =>
        {
            var (row, column) = (cell / columns, cell % columns);
            var value = pair.Values[row, column];
            return Html.Of($"""
                <rect x="{column * width:0.#}" y="{140 - ((row + 1) * height):0.#}" width="{width:0.##}" height="{height:0.##}" fill="{ValueColors.OfSign(value)}" fill-opacity="{(pair.Counts[row, column] > 0 ? Math.Abs(value) / largest : 0):0.##}"><title>{Numbers.Short(value)}, {Numbers.Count((long)pair.Counts[row, column], "row")}</title></rect>
                """);
        });
        var names = pair.Name.Split(" × ");
        return Html.Of($"""
            <figure><svg width="320" height="190" viewBox="-46 -10 320 190" role="img" aria-label="{Visible.OneLine(pair.ToString())}">{cells}
            <rect width="250" height="140" fill="none" stroke="currentColor" stroke-opacity=".4"/><text x="125" y="174" text-anchor="middle">{WaterfallView.Shortened(Visible.OneLine(names[^1]), 40)}</text>
            <text transform="translate(-32 70) rotate(-90)" text-anchor="middle">{WaterfallView.Shortened(Visible.OneLine(names[0]), 24)}</text>
            {Ends(pair)}</svg><figcaption>red adds up to {Numbers.Short(largest)}, blue takes away; bins hold equal numbers of rows</figcaption></figure>
            """);
    }

    private static Html Ends(PairFunction pair) =>
        pair.FirstCuts.Count == 0 || pair.SecondCuts.Count == 0 ? Html.Empty : Html.Of($"""
        <text x="0" y="156">≤ {Numbers.Short(pair.SecondCuts[0])}</text><text x="250" y="156" text-anchor="end">&gt; {Numbers.Short(pair.SecondCuts[^1])}</text>
        <text x="-4" y="138" text-anchor="end" font-size="9">≤ {Numbers.Short(pair.FirstCuts[0])}</text><text x="-4" y="8" text-anchor="end" font-size="9">&gt; {Numbers.Short(pair.FirstCuts[^1])}</text>
        """);
}
