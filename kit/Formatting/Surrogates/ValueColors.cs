namespace ResearchKit.Formatting;

/// <summary>Colors of feature values, blue for low and red for high, and of contributions, red for positive ones.</summary>
internal static class ValueColors
{
    private const int Levels = 12;
    private static readonly Color[] Anchors = [Color.Parse("2f7fe6"), Color.Parse("9a55c4"), Color.Parse("e0325f")];

    public const string Positive = "#e0325f", Negative = "#2f7fe6", Unknown = "#888888";

    /// <summary>Level of a value by its share of the range; -1 for NaN.</summary>
    public static int Level(double share) => double.IsNaN(share) ? -1 : (int)Math.Round(Math.Clamp(share, 0, 1) * Levels);

    public static string OfLevel(int level) => level < 0 ? Unknown : Color.Between(Anchors, level / (double)Levels).ToString();

    public static string OfSign(double value) => value >= 0 ? Positive : Negative;

    /// <summary>Where each value lies between the 5 % and the 95 % quantile, from 0 to 1.</summary>
    public static double[] Shares(IReadOnlyList<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToArray();
        if (sorted.Length == 0) return [.. values.Select(_ => double.NaN)];
        var (low, high) = (sorted[(int)(0.05 * (sorted.Length - 1))], sorted[(int)Math.Ceiling(0.95 * (sorted.Length - 1))]);
        if (!(high > low)) (low, high) = (sorted[0], sorted[^1]);
        return [.. values.Select(value => !double.IsFinite(value) ? double.NaN
            : high > low ? Math.Clamp((value - low) / (high - low), 0, 1) : 0.5)];
    }

    /// <summary>The scale as a legend.</summary>
    public static Html Legend(string title) => Html.Of($"""
        <div class="rk-line rk-cap"><span>{title}:</span><span>low <svg width="90" height="10" aria-hidden="true">{Enumerable.Range(0, Levels + 1)
            .Select(level => Html.Of($"<rect x=\"{level * 90.0 / (Levels + 1):0.#}\" width=\"7.5\" height=\"10\" fill=\"{OfLevel(level)}\"/>"))}</svg> high</span></div>
        """);
}
