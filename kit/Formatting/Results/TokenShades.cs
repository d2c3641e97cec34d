using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Backgrounds of tokens: transparent at zero, so that the text stays readable on light and dark pages; red for positive and
/// blue for negative numbers where there are both, otherwise one blue.
/// </summary>
internal sealed class TokenShades
{
    private const double Strongest = 0.65;
    private static readonly Color Negative = Color.Parse("2b7bce"), Positive = Color.Parse("d1495b"),
        Single = Color.Parse("2f74f0");

    private readonly double far;
    private readonly bool isDiverging;

    private TokenShades(double low, double high)
    {
        (Low, High) = (low, high);
        far = Math.Max(Math.Abs(low), Math.Abs(high));
        isDiverging = low < 0 && high > 0;
    }

    /// <summary>Smallest number.</summary>
    public double Low { get; }

    /// <summary>Largest number.</summary>
    public double High { get; }

    /// <summary>The shades of one score of all texts.</summary>
    public static TokenShades Of(TokenScores scores, int score)
    {
        var values = scores.Texts
            .SelectMany(text => Enumerable.Range(0, text.Tokens.Count).Select(token => text.Scores[token, score]))
            .Where(double.IsFinite).DefaultIfEmpty().ToList();
        return new TokenShades(Math.Min(0, values.Min()), Math.Max(0, values.Max()));
    }

    /// <summary>Color and opacity of a number; no opacity for one that is not finite.</summary>
    public (Color Color, double Opacity) Of(double value)
    {
        if (!double.IsFinite(value)) return (Single, 0);
        var share = far > 0 ? Math.Min(1, Math.Abs(value) / far) : 0;
        return (isDiverging ? value < 0 ? Negative : Positive : Single, Strongest * share);
    }

    /// <summary>The background in CSS; empty where it is transparent.</summary>
    public string Css(double value)
    {
        var (color, opacity) = Of(value);
        return opacity < 0.005 ? ""
            : FormattableString.Invariant($"background:rgba({color.Red},{color.Green},{color.Blue},{opacity:0.##})");
    }

    /// <summary>Draws the scale.</summary>
    public Html Bar()
    {
        var stops = Enumerable.Range(0, 9).Select(step => Low + ((High - Low) * step / 8))
            .Select(value => Css(value) is { Length: > 0 } css ? css["background:".Length..] : "transparent");
        return Html.Of($"""
            <span class="rk-num" role="img" aria-label="shades from {Numbers.Short(Low)} to {Numbers.Short(High)}">{Numbers.Short(Low)}
            <span class="rk-bar" style="background:linear-gradient(90deg,{string.Join(',', stops)})"></span> {Numbers.Short(High)}</span>
            """);
    }
}
