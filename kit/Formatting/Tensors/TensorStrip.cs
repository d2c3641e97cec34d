using ResearchKit.Tensors;

namespace ResearchKit.Formatting;

/// <summary>Draws a vector as a bar chart with its scale on the left.</summary>
internal static class TensorStrip
{
    private const int Height = 72;
    private const int Left = 58;

    public static Html Draw(double[] values, TensorStatistics statistics)
    {
        var (low, high) = statistics.Finite == 0 ? (0, 0) : (Math.Min(0, statistics.Minimum), Math.Max(0, statistics.Maximum));
        if (low == high) high = low + 1;
        double Y(double value) => Height - (Height * ((value / 2) - (low / 2)) / ((high / 2) - (low / 2)));
        var cell = Math.Clamp(640.0 / values.Length, 2.5, 24);
        var width = Left + (cell * values.Length);
        var bars = values
            .Select((value, index) => Bar(value, Left + (index * cell), Y(0), double.IsFinite(value) ? Y(value) : 0, cell));
        return Html.Of($"""
            <svg class="rk-strip" width="{width:0}" height="{Height + 12}" viewBox="0 -6 {width:0} {Height + 12}" style="max-width:100%"
            role="img" aria-label="{values.Length} values from {Numbers.Short(statistics.Minimum)} to {Numbers.Short(statistics.Maximum)}">
            <path d="M{Left} {Y(0):0.#}H{width:0}" stroke="currentColor" opacity=".4"/>{bars}
            <text x="{Left - 6}" y="4" text-anchor="end">{Numbers.Short(high)}</text>
            <text x="{Left - 6}" y="{Height + 4}" text-anchor="end">{Numbers.Short(low)}</text></svg>
            """);
    }

    private static Html Bar(double value, double x, double ground, double top, double cell)
    {
        var width = cell > 4 ? cell - 1 : cell * 0.8;
        var (from, height, color) = double.IsFinite(value)
            ? (Math.Min(top, ground), Math.Max(0.5, Math.Abs(top - ground)), Theme.ColorOf(0))
            : (0, Height, (double.IsNaN(value) ? ColorScale.NaN : value > 0 ? ColorScale.PositiveInfinity
                : ColorScale.NegativeInfinity).ToString());
        return Html.Of($"""
            <rect x="{x:0.#}" y="{from:0.#}" width="{width:0.#}" height="{height:0.#}" fill="{color}"><title>{Numbers.Short(value)}</title></rect>
            """);
    }
}
