namespace ResearchKit.Formatting;

/// <summary>Rows of little bars, as a picture and as text.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█";

    /// <summary>Bars as block characters; what is not finite shows as ×, and a count of zero as a blank.</summary>
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

    /// <summary>A histogram as 24 block characters would be long in a line: pairs of parts are joined.</summary>
    public static string Text(IReadOnlyList<long> counts) =>
        Text(counts.Chunk(2).Select(pair => Math.Sqrt(pair.Sum())), fromZero: true);

    /// <summary>A histogram as a small picture; heights are square roots, so that rare values stay visible.</summary>
    /// <param name="counts">Height of each bar before the root.</param>
    /// <param name="description">The text alternative.</param>
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
