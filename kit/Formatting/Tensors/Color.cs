using System.Globalization;

namespace ResearchKit.Formatting;

/// <summary>An RGBA color.</summary>
internal readonly record struct Color(byte Red, byte Green, byte Blue, byte Alpha = 255)
{
    /// <summary>Reads <c>rrggbb</c>.</summary>
    public static Color Parse(string hex)
    {
        var value = uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return new Color((byte)(value >> 16), (byte)(value >> 8), (byte)value);
    }

    /// <summary>Interpolates between equally spaced anchor colors, at a position from 0 to 1.</summary>
    public static Color Between(IReadOnlyList<Color> anchors, double share)
    {
        var place = share * (anchors.Count - 1);
        var index = Math.Clamp((int)place, 0, anchors.Count - 2);
        var from = anchors[index];
        var to = anchors[index + 1];
        var part = place - index;
        byte Mix(byte low, byte high) => (byte)Math.Round(low + ((high - low) * part));
        return new Color(Mix(from.Red, to.Red), Mix(from.Green, to.Green), Mix(from.Blue, to.Blue));
    }

    /// <summary>The color of text on this ground: the one of black and white with more contrast (WCAG 2.2).</summary>
    public string Text => Luminance > 0.179 ? "#000000" : "#ffffff";

    /// <summary>Relative luminance, from 0 for black to 1 for white.</summary>
    public double Luminance => (0.2126 * Linear(Red)) + (0.7152 * Linear(Green)) + (0.0722 * Linear(Blue));

    private static double Linear(byte part) =>
        part / 255.0 is var share && share <= 0.04045 ? share / 12.92 : Math.Pow((share + 0.055) / 1.055, 2.4);

    /// <summary>Returns the CSS notation.</summary>
    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";
}
