using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws the explanations of many rows: the mean absolute contribution of each term, and a dot for each row at its contribution,
/// colored by the value of the feature.
/// </summary>
internal static class BeeswarmView
{
    private const int MostTerms = 12, MostRows = 250, Row = 32, Width = 760, Names = 210, Bars = 110;

    public static Html Draw(ExplanationSet set) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>{Visible.OneLine(set.Title)}</b><span class="rk-num">{Numbers.Count(set.Count, "row")}</span>
        <span class="rk-num rk-mute">base value {Numbers.Short(set.BaseValue)}{WaterfallView.Unit(set.Unit)}</span></div>{Picture(set)}
        {ValueColors.Legend("value of the feature")}{More(set)}
        """));

    private static Html More(ExplanationSet set)
    {
        var notes = new List<string>();
        if (set.Names.Count > MostTerms)
            notes.Add($"{Numbers.Count(set.Names.Count - MostTerms, "term")} of smaller mean are not shown");
        if (set.Count > MostRows) notes.Add($"{MostRows} of {Numbers.Count(set.Count)} rows are drawn");
        return notes.Count == 0 ? Html.Empty : Html.Of($"<div class=\"rk-cap\">{string.Join("; ", notes)}</div>");
    }

    private static Html Picture(ExplanationSet set)
    {
        var means = set.MeanAbsolute();
        var terms = means.Best(MostTerms);
        var rows = CurveSeries.Every(Enumerable.Range(0, set.Count).ToList(), MostRows);
        var height = (terms.Count * Row) + 52;
        var bottom = height - 36;
        var (low, high) = PlotFrame.Range(terms.SelectMany(term => rows.Select(row => set.Contributions[row, term])).Append(0));
        var axis = new CurveAxis(low, high, Names + Bars + 20, Width - 14, 5);
        var largest = Math.Max(1e-300, terms.Max(term => means.Values[term]));
        var lines = terms.Select((term, at) => Line(set, term, rows, axis, (at * Row) + (Row / 2) + 4, means.Values[term],
            means.Values[term] / largest));
        var ticks = axis.Ticks.Select(tick => Html.Of($"""
            <path d="M{axis.At(tick):0.#} 4V{bottom}" stroke="currentColor" stroke-opacity="{(tick == 0 ? ".6" : ".14")}"/><text x="{axis.At(tick):0.#}" y="{bottom + 14}" text-anchor="middle">{axis.Label(tick)}</text>
            """));
        return Html.Of($"""
            <svg width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" style="max-width:100%;height:auto" role="img"
            aria-label="contributions of {terms.Count} terms in {set.Count} rows">{ticks}{lines}
            <text x="{Names + (Bars / 2)}" y="{bottom + 30}" text-anchor="middle">mean |contribution|</text>
            <text x="{(Names + Bars + Width) / 2}" y="{bottom + 30}" text-anchor="middle">contribution{WaterfallView.Unit(set.Unit)}</text></svg>
            """);
    }

    private static Html Line(ExplanationSet set, int term, List<int> rows, CurveAxis axis, int y, double mean, double share)
    {
        var colors = ValueColors.Shares([.. rows.Select(row => set.Inputs[row, term])]);
        var places = rows.Select(row => axis.At(set.Contributions[row, term])).ToList();
        var offsets = Offsets(places);
        var dots = places.Select((x, at) => (x, y + offsets[at], colors[at]));
        var name = Visible.OneLine(set.Names[term]);
        return Html.Of($"""
            <text x="{Names - 6}" y="{y + 4}" text-anchor="end">{WaterfallView.Shortened(name, 32)}<title>{name}</title></text>
            <rect x="{Names}" y="{y - 6}" width="{Math.Max(1, share * (Bars - 52)):0.#}" height="12" rx="2" fill="currentColor" fill-opacity=".32"/>
            <text x="{Names + 4 + (share * (Bars - 52)):0.#}" y="{y + 4}">{Numbers.Short(mean)}</text>{PlotFrame.Dots(dots, 4.4)}
            """);
    }

    /// <summary>Spreads dots that would cover each other, up and down in turn.</summary>
    private static double[] Offsets(List<double> places)
    {
        const double Column = 3.6, Step = 2.4;
        var taken = new Dictionary<int, int>();
        var offsets = new double[places.Count];
        for (var at = 0; at < places.Count; at++)
        {
            var column = (int)Math.Round(places[at] / Column);
            var count = taken[column] = taken.GetValueOrDefault(column) + 1;
            var away = Math.Min((count / 2) * Step, (Row / 2.0) - 3);
            offsets[at] = count % 2 == 0 ? away : -away;
        }
        return offsets;
    }
}
