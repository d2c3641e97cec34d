namespace ResearchKit.Data;

/// <summary>Changes of levels and colors.</summary>
internal static class ImageColors
{
    /// <summary>Luma of ITU-R BT.601.</summary>
    public static byte Luma(byte red, byte green, byte blue) => (byte)(((299 * red) + (587 * green) + (114 * blue) + 500) / 1000);

    /// <summary>Returns the luma of every pixel, [height × width].</summary>
    public static byte[] Grey(PixelImage image)
    {
        if (image.Channels != 3) return image.Pixels[..(image.Height * image.Width)];
        var area = image.Height * image.Width;
        var grey = new byte[area];
        for (var at = 0; at < area; at++)
            grey[at] = Luma(image.Pixels[at], image.Pixels[area + at], image.Pixels[(2 * area) + at]);
        return grey;
    }

    /// <summary>Returns every level changed by a table.</summary>
    public static PixelImage Mapped(PixelImage image, Func<int, double> level)
    {
        var table = new byte[256];
        for (var at = 0; at < 256; at++) table[at] = (byte)Math.Clamp(Math.Round(level(at)), 0, 255);
        var pixels = new byte[image.Pixels.Length];
        for (var at = 0; at < pixels.Length; at++) pixels[at] = table[image.Pixels[at]];
        return image with { Pixels = pixels };
    }

    /// <summary>Brightness times a factor.</summary>
    public static PixelImage Brightness(PixelImage image, double factor) => Mapped(image, level => level * factor);

    /// <summary>Distance from the mean luma times a factor.</summary>
    public static PixelImage Contrast(PixelImage image, double factor)
    {
        var mean = Math.Round(Grey(image).Average(level => (double)level));
        return Mapped(image, level => mean + ((level - mean) * factor));
    }

    /// <summary>Distance from the luma of each pixel times a factor; 0 is a grey image.</summary>
    public static PixelImage Saturation(PixelImage image, double factor)
    {
        var (grey, pixels) = (Grey(image), new byte[image.Pixels.Length]);
        for (var at = 0; at < pixels.Length; at++)
        {
            var luma = grey[at % grey.Length];
            pixels[at] = (byte)Math.Clamp(Math.Round(luma + ((image.Pixels[at] - luma) * factor)), 0, 255);
        }
        return image with { Pixels = pixels };
    }

    /// <summary>Distance from a smoothed image (3 × 3, weight 5 in the middle) times a factor; the border stays.</summary>
    public static PixelImage Sharpness(PixelImage image, double factor)
    {
        var result = image with { Pixels = [.. image.Pixels] };
        for (var channel = 0; channel < image.Channels; channel++)
            for (var row = 1; row < image.Height - 1; row++)
                for (var column = 1; column < image.Width - 1; column++)
                {
                    var sum = 4 * image[channel, row, column];
                    for (var down = -1; down <= 1; down++)
                        for (var right = -1; right <= 1; right++) sum += image[channel, row + down, column + right];
                    var smooth = Math.Round(sum / 13.0);
                    result[channel, row, column] = (byte)Math.Clamp(Math.Round(smooth
                        + ((image[channel, row, column] - smooth) * factor)), 0, 255);
                }
        return result;
    }

    /// <summary>Turns the hue by a part of the circle, from -0.5 to 0.5.</summary>
    public static PixelImage Hue(PixelImage image, double turn)
    {
        if (image.Channels != 3 || turn == 0) return image;
        var area = image.Height * image.Width;
        var result = image with { Pixels = new byte[image.Pixels.Length] };
        for (var at = 0; at < area; at++)
        {
            double red = image.Pixels[at], green = image.Pixels[area + at], blue = image.Pixels[(2 * area) + at];
            var (most, least) = (Math.Max(red, Math.Max(green, blue)), Math.Min(red, Math.Min(green, blue)));
            var range = most - least;
            var hue = range == 0 ? 0 : most == red ? (green - blue) / range : most == green ? 2 + ((blue - red) / range)
                : 4 + ((red - green) / range);   // in sixths of the circle
            for (var channel = 0; channel < 3; channel++)
            {
                var sixths = ((hue + (6 * turn) + (channel == 0 ? 5 : channel == 1 ? 3 : 1)) % 6 + 6) % 6;
                result.Pixels[(channel * area) + at] =
                    (byte)Math.Round(most - (range * Math.Clamp(Math.Min(sixths, 4 - sixths), 0, 1)));
            }
        }
        return result;
    }

    /// <summary>Stretches the levels of each channel to 0 … 255.</summary>
    public static PixelImage AutoContrast(PixelImage image) => EachChannel(image, histogram =>
    {
        var (low, high) = (Array.FindIndex(histogram, count => count > 0), Array.FindLastIndex(histogram, count => count > 0));
        return level => high > low ? (level - low) * 255.0 / (high - low) : level;
    });

    /// <summary>Makes the levels of each channel about equally frequent.</summary>
    public static PixelImage Equalize(PixelImage image) => EachChannel(image, histogram =>
    {
        var step = (histogram.Sum() - histogram.Last(count => count > 0)) / 255;
        if (step == 0) return level => level;
        var (table, sum) = (new double[256], step / 2);
        for (var at = 0; at < 256; at++)
        {
            table[at] = sum / step;
            sum += histogram[at];
        }
        return level => table[level];
    });

    private static PixelImage EachChannel(PixelImage image, Func<int[], Func<int, double>> level)
    {
        var area = image.Height * image.Width;
        var pixels = new byte[image.Pixels.Length];
        for (var channel = 0; channel < image.Channels; channel++)
        {
            var plane = new PixelImage(1, image.Height, image.Width, image.Pixels[(channel * area)..((channel + 1) * area)]);
            var histogram = new int[256];
            foreach (var pixel in plane.Pixels) histogram[pixel]++;
            Mapped(plane, level(histogram)).Pixels.CopyTo(pixels, channel * area);
        }
        return image with { Pixels = pixels };
    }
}
