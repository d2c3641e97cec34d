namespace ResearchKit.Data;

/// <summary>The 14 operations of RandAugment.</summary>
internal enum RandOperation
{
    Identity, AutoContrast, Equalize, Rotate, Solarize, Color, Posterize, Contrast, Brightness, Sharpness,
    ShearX, ShearY, TranslateX, TranslateY,
}

/// <summary>Applies an operation of RandAugment. The largest strengths are those of AutoAugment.</summary>
/// <remarks>Cubuk et al., 2018, https://arxiv.org/abs/1805.09501, table 6.</remarks>
internal static class RandOperations
{
    private const double LargestTurn = 30, LargestShear = 0.3, LargestShift = 150.0 / 331, LargestFactor = 0.9;

    /// <param name="image">The image.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="strength">From 0 to 1.</param>
    /// <param name="random">Decides the sign, where an operation has two.</param>
    public static PixelImage Apply(PixelImage image, RandOperation operation, double strength, RandomNumbers random)
    {
        var signed = random.Chance(0.5) ? strength : -strength;
        var factor = 1 + (LargestFactor * signed);
        return operation switch
        {
            RandOperation.AutoContrast => ImageColors.AutoContrast(image),
            RandOperation.Equalize => ImageColors.Equalize(image),
            RandOperation.Solarize => ImageColors.Mapped(image, level => level >= 256 * (1 - strength) ? 255 - level : level),
            RandOperation.Posterize => Posterized(image, 8 - (int)Math.Round(4 * strength)),
            RandOperation.Color => ImageColors.Saturation(image, factor),
            RandOperation.Contrast => ImageColors.Contrast(image, factor),
            RandOperation.Brightness => ImageColors.Brightness(image, factor),
            RandOperation.Sharpness => ImageColors.Sharpness(image, factor),
            RandOperation.Rotate => Rotated(image, signed * LargestTurn * Math.PI / 180),
            RandOperation.ShearX => Moved(image, (x, y) => (x + (signed * LargestShear * y), y)),
            RandOperation.ShearY => Moved(image, (x, y) => (x, y + (signed * LargestShear * x))),
            RandOperation.TranslateX => Moved(image, (x, y) => (x + Math.Round(signed * LargestShift * image.Width), y)),
            RandOperation.TranslateY => Moved(image, (x, y) => (x, y + Math.Round(signed * LargestShift * image.Height))),
            _ => image,
        };
    }

    private static PixelImage Posterized(PixelImage image, int bits) =>
        ImageColors.Mapped(image, level => level & ~((1 << (8 - bits)) - 1));

    private static PixelImage Rotated(PixelImage image, double angle)
    {
        var (sine, cosine) = Math.SinCos(angle);
        return Moved(image, (x, y) => ((cosine * x) + (sine * y), (cosine * y) - (sine * x)));
    }

    /// <summary>Takes each pixel from a place, measured from the center, by bilinear interpolation; black outside.</summary>
    private static PixelImage Moved(PixelImage image, Func<double, double, (double X, double Y)> from)
    {
        var result = new PixelImage(image.Channels, image.Height, image.Width);
        var (middleX, middleY) = ((image.Width - 1) / 2.0, (image.Height - 1) / 2.0);
        for (var row = 0; row < image.Height; row++)
            for (var column = 0; column < image.Width; column++)
            {
                var (x, y) = from(column - middleX, row - middleY);
                var (left, top) = (x + middleX, y + middleY);
                for (var channel = 0; channel < image.Channels; channel++)
                    result[channel, row, column] = Between(image, channel, top, left);
            }
        return result;
    }

    private static byte Between(PixelImage image, int channel, double row, double column)
    {
        var (top, left) = ((int)Math.Floor(row), (int)Math.Floor(column));
        var (down, right) = (row - top, column - left);
        double Level(int atRow, int atColumn) => atRow >= 0 && atRow < image.Height && atColumn >= 0 && atColumn < image.Width
            ? image[channel, atRow, atColumn] : 0;
        return (byte)Math.Round(((1 - down) * (((1 - right) * Level(top, left)) + (right * Level(top, left + 1))))
            + (down * (((1 - right) * Level(top + 1, left)) + (right * Level(top + 1, left + 1)))));
    }
}
