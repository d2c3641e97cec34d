namespace ResearchKit.Formatting;

/// <summary>
/// Maps values to palette indexes: 253 colors from lowest to highest, then one each for NaN, +∞ and −∞.
/// </summary>
/// <remarks>
/// Values of both signs get a diverging scale with zero at its centre (ColorBrewer RdBu, blue for negative
/// values), others viridis, which is perceptually uniform and stays readable in grey print and for color-blind
/// readers.
/// </remarks>
internal sealed class ColorScale
{
    private const int Steps = 253;
    private const double Rounding = 1e-6;
    private static readonly Color[] Viridis = Anchors("440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725");
    private static readonly Color[] Diverging =
        Anchors("053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f");

    private readonly Color[] anchors;

    /// <param name="minimum">Smallest finite value; NaN if there is none.</param>
    /// <param name="maximum">Largest finite value; NaN if there is none.</param>
    /// <param name="isSequential">Whether the scale is sequential even if values have both signs.</param>
    public ColorScale(double minimum, double maximum, bool isSequential = false)
    {
        var far = Math.Max(Math.Abs(minimum), Math.Abs(maximum));
        IsDiverging = minimum < 0 && maximum > 0 && !isSequential;
        anchors = IsDiverging ? Diverging : Viridis;
        (Low, High) = IsDiverging ? (-far, far) : double.IsNaN(minimum) ? (0, 0) : (minimum, maximum);
        Palette = [.. Enumerable.Range(0, Steps).Select(step => Color.Between(anchors, step / (Steps - 1d))), NaN,
            PositiveInfinity, NegativeInfinity];
    }

    /// <summary>
    /// The scale of some values; those that are not finite do not count, nor does a sign that is only rounding.
    /// </summary>
    /// <param name="values">The values.</param>
    /// <param name="isSequential">Whether the scale is sequential even if values have both signs.</param>
    public static ColorScale Of(IEnumerable<double> values, bool isSequential = false)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
            if (double.IsFinite(value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high) return new ColorScale(double.NaN, double.NaN);
        if (low < 0 && -low < high * Rounding) low = 0;
        else if (high > 0 && high < -low * Rounding) high = 0;
        return new ColorScale(low, high, isSequential);
    }

    public static Color NaN { get; } = Color.Parse("ff00ff");
    public static Color PositiveInfinity { get; } = Color.Parse("ff7a00");
    public static Color NegativeInfinity { get; } = Color.Parse("00e0ff");

    /// <summary>Value of the first color.</summary>
    public double Low { get; }

    /// <summary>Value of the last color.</summary>
    public double High { get; }

    public bool IsDiverging { get; }

    public IReadOnlyList<Color> Palette { get; }

    /// <summary>Returns the palette index of a value.</summary>
    public byte IndexOf(double value)
    {
        if (double.IsNaN(value)) return Steps;
        if (double.IsInfinity(value)) return (byte)(value > 0 ? Steps + 1 : Steps + 2);
        var range = (High / 2) - (Low / 2);   // halved, since the full range may overflow a double
        var share = range > 0 ? ((value / 2) - (Low / 2)) / range : 0.5;
        return (byte)Math.Round(Math.Clamp(share, 0, 1) * (Steps - 1));
    }

    /// <summary>Returns the color of a value.</summary>
    public Color ColorOf(double value) => Palette[IndexOf(value)];

    /// <summary>
    /// Draws the color bar: the scale with its lowest and highest value, and zero if it is at the centre.
    /// </summary>
    public Html Bar()
    {
        if (Low == High) return Key(Palette[IndexOf(Low)], Numbers.Short(Low));
        var gradient = string.Join(',', anchors.Select(color => color.ToString()));
        var centre = IsDiverging ? Html.Of($" <span class=\"rk-mute\">(white = 0)</span>") : Html.Empty;
        return Html.Of($"""
            <span class="rk-num" role="img" aria-label="colors from {Numbers.Short(Low)} to {Numbers.Short(High)}">{Numbers.Short(Low)}
            <span class="rk-bar" style="background:linear-gradient(90deg,{gradient})"></span> {Numbers.Short(High)}</span>{centre}
            """);
    }

    /// <summary>Draws a legend entry for values that are not finite.</summary>
    public static Html Key(Color color, string meaning) =>
        Html.Of($"<span><span class=\"rk-key\" style=\"background:{color}\"></span>{meaning}</span>");

    private static Color[] Anchors(string colors) => [.. colors.Split(' ').Select(Color.Parse)];
}
