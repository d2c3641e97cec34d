using System.Globalization;
using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>Draws one prediction as a waterfall: from the base value, term by term, to the output.</summary>
internal static class WaterfallView
{
    private const int MostTerms = 10, Row = 26, Width = 720, Names = 250;

    public static Html Draw(Explanation one) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>{Visible.OneLine(one.Title)}</b><span class="rk-num">output {Numbers.Short(one.Output)}{Unit(one.Unit)}</span>
        <span class="rk-num rk-mute">base value {Numbers.Short(one.BaseValue)}</span></div>{Picture(one)}
        <div class="rk-cap">{Visible.OneLine(one.Evidence.ToString())}</div>
        """));

    public static string Unit(string unit) => unit.Length == 0 ? "" : $" ({Visible.OneLine(unit)})";

    /// <summary>The terms that are drawn, the smallest first: the others as one sum, then the largest.</summary>
    private static List<(string Label, double Value)> Terms(Explanation one)
    {
        var order = Enumerable.Range(0, one.Names.Count).OrderByDescending(term => Math.Abs(one.Contributions[term])).ToList();
        var shown = order.Count <= MostTerms ? order.Count : MostTerms - 1;
        var terms = order.Take(shown).Select(term => (Label(one.Names[term], one.Inputs[term]),
            one.Contributions[term])).ToList();
        if (shown < order.Count)
            terms.Add((Numbers.Count(order.Count - shown, "other term"), order.Skip(shown).Sum(term => one.Contributions[term])));
        terms.Reverse();
        return terms;
    }

    private static string Label(string name, double input) => Shortened(Visible.OneLine(name), 30)
        + (double.IsNaN(input) ? "" : $" = {Numbers.Short(input)}");

    /// <summary>Shortens a name to a number of characters, between two of them.</summary>
    public static string Shortened(string text, int most) => text.Length <= most ? text
        : $"{text[..(char.IsHighSurrogate(text[most - 2]) ? most - 2 : most - 1)]}…";

    private static Html Picture(Explanation one)
    {
        var terms = Terms(one);
        var ends = new List<double> { one.BaseValue };
        foreach (var (_, value) in terms) ends.Add(ends[^1] + value);
        var (low, high) = PlotFrame.Range(ends);
        var axis = new CurveAxis(low, high, Names + 50, Width - 60, 5);
        var height = (terms.Count * Row) + 60;
        var bars = terms.Select((term, at) => Bar(term.Label, term.Value, axis.At(ends[at]), axis.At(ends[at + 1]),
            height - 46 - ((at + 1) * Row)));
        var bottom = height - 40;
        var ticks = axis.Ticks.Select(tick => Html.Of($"""
            <path d="M{axis.At(tick):0.#} 20V{bottom}" stroke="currentColor" stroke-opacity=".14"/><text x="{axis.At(tick):0.#}" y="{bottom + 14}" text-anchor="middle">{axis.Label(tick)}</text>
            """));
        return Html.Of($"""
            <svg width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" style="max-width:100%;height:auto" role="img"
            aria-label="waterfall of {terms.Count} terms from {Numbers.Short(one.BaseValue)} to {Numbers.Short(one.Output)}">{ticks}
            {Marker(axis.At(one.BaseValue), bottom, $"base value {Numbers.Short(one.BaseValue)}", bottom + 30)}
            {Marker(axis.At(ends[^1]), bottom, $"output {Numbers.Short(one.Output)}", 11)}{bars}</svg>
            """);
    }

    private static Html Marker(double x, int bottom, string text, int y) => Html.Of($"""
        <path d="M{x:0.#} 18V{bottom}" stroke="currentColor" stroke-opacity=".55" stroke-dasharray="3 3"/><text x="{x:0.#}" y="{y}" text-anchor="middle" font-weight="600">{text}</text>
        """);

    private static Html Bar(string label, double value, double from, double to, int y)
    {
        var tip = Math.Sign(to - from) * Math.Min(6, Math.Abs(to - from));
        var arrow = string.Create(CultureInfo.InvariantCulture,
            $"M{from:0.#} {y}H{to - tip:0.#}L{to:0.#} {y + 9}L{to - tip:0.#} {y + 18}H{from:0.#}Z");
        var text = (value >= 0 ? "+" : "") + Numbers.Short(value);
        var isRight = value >= 0;
        return Html.Of($"""
            <g><title>{label}: {text}</title><text x="{Names}" y="{y + 13}" text-anchor="end">{label}</text><path d="{arrow}" fill="{ValueColors.OfSign(value)}"/>
            <text x="{(isRight ? Math.Max(from, to) + 5 : Math.Min(from, to) - 5):0.#}" y="{y + 13}" text-anchor="{(isRight ? "start" : "end")}">{text}</text></g>
            """);
    }
}
