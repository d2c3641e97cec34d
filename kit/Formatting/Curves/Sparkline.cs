namespace ResearchKit.Formatting;

/// <summary>Draws small bar charts, as SVG and as text.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█";

    /// <summary>
    /// Draws bars as block characters; values that are not finite become ×, and counts of zero become blanks.
    /// </summary>
    public static string Text(IEnumerable<double> values, bool fromZero = false)
    {
        var all = values.ToList();
        var finite = all.Where(double.IsFinite).ToList();
        if (finite.Count == 0) return new string('×', all.Count);
        var low = fromZero ? 0 : finite.Min();
        var high = finite.Max();
        return string.Concat(all.Select(value => !double.IsFinite(value) ? '×'
            : fromZero && value == 0 ? ' '
            : high > low ? Blocks[(int)Math.Round((value - low) / (high - low) * (Blocks.Length - 1))] : Blocks[3]));
    }

    /// <summary>Draws a histogram as block characters; pairs of bins are joined to keep the line short.</summary>
    public static string Text(IReadOnlyList<long> counts) =>
        Text(counts.Chunk(2).Select(pair => Math.Sqrt(pair.Sum())), fromZero: true);

    /// <summary>Draws a histogram as SVG; heights are square roots, so that rare values stay visible.</summary>
    /// <param name="counts">Count of each bin.</param>
    /// <param name="description">Text alternative of the chart.</param>
    public static Html Picture(IReadOnlyList<long> counts, string description)
    {
        const int Height = 18;
        var highest = Math.Sqrt(counts.DefaultIfEmpty().Max());
        var bars = counts.Select((count, x) =>
        {
            var height = count == 0 ? 0 : Math.Max(1, Math.Sqrt(count) / highest * Height);
            return Html.Of($"M{3 * x} {Height}v-{height:0.#}h2v{height:0.#}z");
        });
        return Html.Of($"""
            <svg width="{counts.Count * 3}" height="{Height}" viewBox="0 0 {counts.Count * 3} {Height}" role="img" aria-label="{description}">
            <title>{description}</title><path fill="currentColor" opacity=".6" d="{bars}"/></svg>
            """);
    }
}
