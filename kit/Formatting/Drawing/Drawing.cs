namespace ResearchKit.Formatting;

/// <summary>
/// A figure made of few kinds of shapes, so that the same one is written as SVG, in a page or as a file, and painted as PNG.
/// </summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Label">What the figure shows, for screen readers.</param>
internal sealed record Drawing(double Width, double Height, string Label)
{
    /// <summary>Color of text and lines that follows the page: dark on light pages, light on dark ones.</summary>
    public const string Ink = "currentColor";

    /// <summary>Size of text in pixels, unless a shape has its own.</summary>
    public const double TextSize = 11;

    /// <summary>The shapes, from back to front.</summary>
    public List<Shape> Shapes { get; init; } = [];

    /// <summary>A style for classes of the shapes in a page; null without one.</summary>
    public Html? Style { get; init; }

    /// <summary>Class of the figure in a page; empty for none.</summary>
    public string Class { get; init; } = "";

    /// <summary>Returns about how wide a text is, in pixels, at the usual size; no font is asked.</summary>
    public static double WidthOf(string text, double size = TextSize) =>
        size * text.Sum(c => c switch
        {
            < ' ' => 0,
            'i' or 'l' or 'j' or '.' or ',' or ' ' or '\'' or '|' => 0.32,
            'm' or 'w' or 'M' or 'W' => 0.86,
            >= '\u2e80' => 1.02,
            >= 'A' and <= 'Z' => 0.68,
            _ => 0.58
        });

    /// <summary>Returns a text without its end where it is wider than some pixels.</summary>
    public static string Fitted(string text, double width, double size = TextSize)
    {
        if (WidthOf(text, size) <= width) return text;
        var length = text.Length - 1;
        while (length > 0 && (WidthOf(text[..length], size) + size > width || char.IsHighSurrogate(text[length - 1]))) length--;
        return $"{text[..length]}…";
    }
}

/// <summary>A part of a drawing.</summary>
internal abstract record Shape
{
    /// <summary>Text shown when the pointer rests on it; null for none.</summary>
    public string? Title { get; init; }

    /// <summary>Classes in a page; null for none.</summary>
    public string? Class { get; init; }
}

/// <summary>A rectangle.</summary>
internal sealed record Box(double X, double Y, double Width, double Height, string Fill) : Shape
{
    public string? Stroke { get; init; }

    public double Radius { get; init; }

    public double Opacity { get; init; } = 1;

    /// <summary>Whether the keyboard can reach it in a page.</summary>
    public bool IsFocusable { get; init; }
}

/// <summary>A line; a curved one leaves and arrives horizontally.</summary>
internal sealed record Wire(double FromX, double FromY, double ToX, double ToY, string Color, double Thickness) : Shape
{
    public double Opacity { get; init; } = 1;

    public bool IsCurved { get; init; }
}

/// <summary>Where a text has its anchor point.</summary>
internal enum TextAnchor
{
    Start,
    Middle,
    End,
}

/// <summary>A line of text; Y is its baseline.</summary>
internal sealed record Words(double X, double Y, string Text, TextAnchor Anchor = TextAnchor.Start) : Shape
{
    public string Color { get; init; } = Drawing.Ink;

    public double Size { get; init; } = Drawing.TextSize;

    public bool IsBold { get; init; }

    /// <summary>Degrees by which it is turned, clockwise.</summary>
    public double Turn { get; init; }
}

/// <summary>An image with a palette, whose pixels stay squares when it is enlarged.</summary>
/// <param name="X">Left.</param>
/// <param name="Y">Top.</param>
/// <param name="Width">Width as drawn.</param>
/// <param name="Height">Height as drawn.</param>
/// <param name="Columns">Pixels in a row.</param>
/// <param name="Indexes">Palette index of each pixel, row by row.</param>
/// <param name="Palette">The colors.</param>
internal sealed record Raster(
    double X, double Y, double Width, double Height, int Columns, byte[] Indexes, IReadOnlyList<Color> Palette) : Shape
{
    public int Rows => Indexes.Length / Math.Max(1, Columns);
}

/// <summary>A text after a colored square, for legends.</summary>
internal static class Legend
{
    /// <summary>Draws a color scale at the left end of a line of a drawing and returns how wide it is.</summary>
    public static double Add(Drawing drawing, ColorScale scale, double x, double y)
    {
        const int Parts = 40, Bar = 160;
        var low = Numbers.Short(scale.Low);
        var start = x + Drawing.WidthOf(low) + 6;
        drawing.Shapes.Add(new Words(x, y + 9, low));
        for (var part = 0; part < Parts; part++)
        {
            var value = scale.Low + ((scale.High - scale.Low) * (part + 0.5) / Parts);
            drawing.Shapes.Add(new Box(start + (part * Bar / (double)Parts), y, (Bar / (double)Parts) + 0.3, 10,
                scale.ColorOf(value).ToString()));
        }
        drawing.Shapes.Add(new Words(start + Bar + 6, y + 9, Numbers.Short(scale.High)));
        return start + Bar + 6 + Drawing.WidthOf(Numbers.Short(scale.High)) - x;
    }
}
