using SkiaSharp;

namespace ResearchKit.Formatting;

/// <summary>Paints a drawing as PNG.</summary>
internal static class DrawingPng
{
    /// <summary>The longest side of an image, in pixels.</summary>
    private const int Longest = 16_384;

    private static readonly string[] Families =
        ["Segoe UI", "Helvetica Neue", "DejaVu Sans", "Noto Sans", "Liberation Sans", "Arial"];
    private static readonly string[] Files =
        ["DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Roboto-Regular.ttf", "FreeSans.ttf"];

    private static readonly Lazy<SKTypeface?> Typeface = new(Find);

    /// <summary>Paints a drawing.</summary>
    /// <param name="drawing">The drawing.</param>
    /// <param name="scale">Pixels of the image for each of the drawing's.</param>
    /// <param name="dark">Whether the ground is dark.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image would have no pixel or a side above 16,384.</exception>
    /// <exception cref="InvalidOperationException">The machine has no font.</exception>
    public static byte[] Paint(Drawing drawing, double scale, bool dark)
    {
        var side = Math.Max(drawing.Width, drawing.Height) * scale;
        if (!(scale > 0 && side <= Longest))
            throw new ArgumentOutOfRangeException(nameof(scale), scale,
                $"The image would be {drawing.Width * scale:0} × {drawing.Height * scale:0} pixels; expected at most {Longest} a side.");
        var typeface = Typeface.Value ?? throw new InvalidOperationException(
            "No font was found for the texts of the image; install one, such as DejaVu Sans, or use ToSvg, which needs none.");
        var (ink, ground) = DrawingSvg.Ground(dark);
        using var bitmap = new SKBitmap((int)Math.Ceiling(drawing.Width * scale), (int)Math.Ceiling(drawing.Height * scale));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColor.Parse(ground));
            canvas.Scale((float)scale);
            foreach (var shape in drawing.Shapes) Paint(canvas, shape, typeface, SKColor.Parse(ink));
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static void Paint(SKCanvas canvas, Shape shape, SKTypeface typeface, SKColor ink)
    {
        switch (shape)
        {
            case Box box: Paint(canvas, box, ink); break;
            case Wire wire: Paint(canvas, wire, ink); break;
            case Words words: Paint(canvas, words, typeface, ink); break;
            case Raster raster: Paint(canvas, raster); break;
        }
    }

    private static void Paint(SKCanvas canvas, Box box, SKColor ink)
    {
        var place = SKRect.Create((float)box.X, (float)box.Y, (float)box.Width, (float)box.Height);
        using var paint = new SKPaint { IsAntialias = box.Radius > 0 };
        if (box.Fill != "none")
        {
            paint.Color = Of(box.Fill, ink, box.Opacity);
            canvas.DrawRoundRect(place, (float)box.Radius, (float)box.Radius, paint);
        }
        if (box.Stroke is null) return;
        paint.Style = SKPaintStyle.Stroke;
        paint.Color = Of(box.Stroke, ink, 1);
        canvas.DrawRoundRect(place, (float)box.Radius, (float)box.Radius, paint);
    }

    private static void Paint(SKCanvas canvas, Wire wire, SKColor ink)
    {
        using var paint = new SKPaint
        {
            IsAntialias = true,
            Style = SKPaintStyle.Stroke,
            StrokeWidth = (float)wire.Thickness,
            Color = Of(wire.Color, ink, wire.Opacity),
        };
        using var builder = new SKPathBuilder();
        var middle = (float)(wire.FromX + wire.ToX) / 2;
        builder.MoveTo((float)wire.FromX, (float)wire.FromY);
        if (wire.IsCurved)
            builder.CubicTo(middle, (float)wire.FromY, middle, (float)wire.ToY, (float)wire.ToX, (float)wire.ToY);
        else builder.LineTo((float)wire.ToX, (float)wire.ToY);
        using var path = builder.Detach();
        canvas.DrawPath(path, paint);
    }

    private static void Paint(SKCanvas canvas, Words words, SKTypeface typeface, SKColor ink)
    {
        using var font = new SKFont(typeface, (float)words.Size) { Embolden = words.IsBold, Edging = SKFontEdging.Antialias };
        using var paint = new SKPaint { IsAntialias = true, Color = Of(words.Color, ink, 1) };
        var align = words.Anchor switch
        {
            TextAnchor.Middle => SKTextAlign.Center,
            TextAnchor.End => SKTextAlign.Right,
            _ => SKTextAlign.Left,
        };
        canvas.Save();
        canvas.Translate((float)words.X, (float)words.Y);
        canvas.RotateDegrees((float)words.Turn);
        canvas.DrawText(Visible.OneLine(words.Text), 0, 0, align, font, paint);
        canvas.Restore();
    }

    private static void Paint(SKCanvas canvas, Raster raster)
    {
        if (raster.Indexes.Length == 0) return;
        using var pixels = new SKBitmap(raster.Columns, raster.Rows, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        for (var at = 0; at < raster.Indexes.Length; at++)
        {
            var color = raster.Palette[raster.Indexes[at]];
            pixels.SetPixel(at % raster.Columns, at / raster.Columns,
                new SKColor(color.Red, color.Green, color.Blue, color.Alpha));
        }
        using var image = SKImage.FromBitmap(pixels);
        canvas.DrawImage(image, SKRect.Create((float)raster.X, (float)raster.Y, (float)raster.Width, (float)raster.Height),
            new SKSamplingOptions(SKFilterMode.Nearest));
    }

    private static SKColor Of(string color, SKColor ink, double opacity)
    {
        var parsed = color == Drawing.Ink ? ink : SKColor.Parse(color);
        return parsed.WithAlpha((byte)Math.Round(255 * Math.Clamp(opacity, 0, 1)));
    }

    /// <summary>Finds a font: by its family where the system has a list of them, otherwise in the usual folders.</summary>
    private static SKTypeface? Find()
    {
        foreach (var family in Families)
            if (SKFontManager.Default.MatchFamily(family) is { } known) return known;
        string[] folders = ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "C:\\Windows\\Fonts",
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".fonts")];
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 5 };
        var fonts = folders.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "*.ttf", options))
            .ToList();
        return fonts.OrderBy(path => (uint)Array.IndexOf(Files, Path.GetFileName(path)))
            .ThenBy(path => path, StringComparer.Ordinal)
            .Select(path => SKTypeface.FromFile(path)).FirstOrDefault(font => font is not null);
    }
}
