namespace ResearchKit.Formatting;

/// <summary>
/// Shades of one blue from transparent to opaque, so that the page's background shows where a weight is zero. Opacity rises
/// faster at small weights, so that faint attention is visible on white and on black.
/// </summary>
internal sealed class AttentionShades
{
    private const double Power = 0.7;
    private const int Finest = 1 << 16;

    private readonly byte[] levels;   // of each weight relative to the highest, in steps

    /// <param name="highest">The weight that is opaque.</param>
    /// <param name="levels">Number of shades, the transparent one included; at most 255.</param>
    public AttentionShades(float highest, int levels)
    {
        Highest = highest;
        Levels = levels;
        Palette = [.. Enumerable.Range(0, levels)
            .Select(level => new Color(47, 116, 240, (byte)Math.Round(255.0 * level / (levels - 1)))),
            ColorScale.NaN];
        this.levels = new byte[Finest + 1];
        for (var step = 0; step <= Finest; step++)
            this.levels[step] = (byte)Math.Round(Math.Pow(step / (double)Finest, Power) * (levels - 1));
    }

    public float Highest { get; }

    public int Levels { get; }

    /// <summary>The shades; the last color is for NaN.</summary>
    public IReadOnlyList<Color> Palette { get; }

    /// <summary>Many shades for few cells, fewer for many, which makes their images small.</summary>
    public static AttentionShades Of(IReadOnlyList<AttentionGrid> grids)
    {
        var highest = grids.Max(grid => grid.Weights.Where(weight => float.IsFinite(weight) && weight > 0).DefaultIfEmpty(1)
            .Max());
        return new AttentionShades(highest, grids.Sum(grid => (long)grid.Weights.Length) > 600_000 ? 16 : 255);
    }

    /// <summary>The image of a head as a data URI.</summary>
    public string Picture(AttentionGrid grid) =>
        PngImage.DataUri(PngImage.Indexed(grid.Columns, grid.Rows, Array.ConvertAll(grid.Weights, LevelOf), Palette));

    /// <summary>Palette index of a weight.</summary>
    public byte LevelOf(float weight)
    {
        if (weight == 0) return 0;
        return float.IsNaN(weight) ? (byte)Levels : levels[(int)Math.Round(Math.Clamp(weight / Highest, 0, 1) * Finest)];
    }

    /// <summary>Draws the scale.</summary>
    public Html Bar()
    {
        var stops = string.Join(',', Enumerable.Range(0, 9).Select(stop =>
            FormattableString.Invariant($"rgba(47,116,240,{Math.Pow(stop / 8.0, Power):0.##})")));
        return Html.Of($"""
            <span class="rk-num" role="img" aria-label="shade from 0 to {Highest:0.00}">0
            <span class="rk-bar" style="background:linear-gradient(90deg,{stops})"></span> {Highest:0.00}</span>
            """);
    }
}
