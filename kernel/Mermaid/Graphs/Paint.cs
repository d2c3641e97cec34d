using System.Drawing;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>The colors and line style set by the author; null for the default of the page.</summary>
internal sealed partial record Paint(
    string? Fill = null, string? Stroke = null, string? Text = null, double? Width = null, bool IsDashed = false)
{
    /// <summary>
    /// Reads <c>fill:#f9f,stroke:#333</c>. Styles other than plain colors, widths and dashes are ignored, for
    /// safety.
    /// </summary>
    public static Paint Read(string styles)
    {
        var paint = new Paint();
        foreach (var style in Separator().Split(styles))
        {
            var colon = style.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) continue;
            var (name, value) = (style[..colon].Trim(),
                style[(colon + 1)..].Replace("!important", "", StringComparison.Ordinal).Trim());
            paint = name switch
            {
                "fill" or "background" when IsColor(value) => paint with { Fill = value },
                "stroke" when IsColor(value) => paint with { Stroke = value },
                "color" when IsColor(value) => paint with { Text = value },
                "stroke-width" when Pixels(value) is { } width => paint with { Width = width },
                "stroke-dasharray" when value is not ("0" or "none" or "") => paint with { IsDashed = true },
                _ => paint,
            };
        }
        return paint;
    }

    /// <summary>Returns this paint, overridden by another one.</summary>
    public Paint With(Paint? over) => over is null ? this
        : new Paint(over.Fill ?? Fill, over.Stroke ?? Stroke, over.Text ?? Text, over.Width ?? Width, over.IsDashed || IsDashed);

    /// <summary>
    /// The color of text on the fill: the author's color, else black or white for contrast; null if the fill is not
    /// set.
    /// </summary>
    public string? TextOnFill =>
        Text ?? (Fill is { } fill && Luminance(fill) is { } light ? light > 0.45 ? "#000" : "#fff" : null);

    [GeneratedRegex(@"[,;](?![^(]*\))")]
    private static partial Regex Separator();

    [GeneratedRegex(
        @"^(?:#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})|[a-zA-Z]{3,24}|(?:rgb|rgba|hsl|"
        + @"hsla)\([0-9.,%\s/deg-]{3,48}\))$")]
    private static partial Regex ColorPattern();

    [GeneratedRegex(@"[0-9.]+")]
    private static partial Regex Number();

    public static bool IsColor(string value) => ColorPattern().IsMatch(value)
        && (!char.IsLetter(value[0]) || value.Contains('(', StringComparison.Ordinal) || value is "none" or "transparent"
            || Named(value) is not null);

    private static double? Pixels(string value) =>
        double.TryParse(value.Replace("px", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture,
            out var width)
            && width is >= 0 and <= 12 ? width : null;

    private static Color? Named(string name) =>
        Color.FromName(name) is { IsKnownColor: true, IsSystemColor: false } known ? known : null;

    /// <summary>
    /// Returns the relative luminance of a color, from 0 (black) to 1 (white); null if it is transparent.
    /// </summary>
    private static double? Luminance(string color)
    {
        if (color is "none" or "transparent") return null;
        if (color[0] == '#')
        {
            var hex = color.Length is 4 or 5 ? string.Concat(color[1..4].Select(c => $"{c}{c}")) : color[1..7];
            return Luminance(Convert.ToInt32(hex[..2], 16), Convert.ToInt32(hex[2..4], 16), Convert.ToInt32(hex[4..], 16));
        }
        if (Named(color) is { } named) return Luminance(named.R, named.G, named.B);
        var parts = Number().Matches(color)
            .Select(part => double.TryParse(part.Value, CultureInfo.InvariantCulture, out var number) ? number : 0).ToList();
        if (parts.Count < 3 || (parts.Count > 3 && parts[3] < 0.5)) return null;
        return color.StartsWith("hsl", StringComparison.OrdinalIgnoreCase) ? parts[2] / 100
            : Luminance(parts[0], parts[1], parts[2]);
    }

    private static double Luminance(double red, double green, double blue) =>
        (0.2126 * Linear(red)) + (0.7152 * Linear(green)) + (0.0722 * Linear(blue));

    private static double Linear(double channel) => Math.Pow(Math.Clamp(channel / 255, 0, 1), 2.2);
}
