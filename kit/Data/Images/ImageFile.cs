using SkiaSharp;

namespace ResearchKit.Data;

/// <summary>Reads and writes PNG, JPEG, WebP, BMP and GIF (its first image).</summary>
public static class ImageFile
{
    /// <summary>The ends of the names of image files.</summary>
    internal static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"];

    /// <summary>Reads an image upright, as its EXIF orientation says. Transparency is left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="channels">3 for red, green and blue; 1 for grey (luma of ITU-R BT.601).</param>
    /// <exception cref="InvalidDataException">The file is no image, or damaged; the message names it.</exception>
    public static PixelImage Read(string path, int channels = 3) => Parse(File.ReadAllBytes(path), path, channels);

    /// <inheritdoc cref="Read"/>
    /// <param name="bytes">Content of the file.</param>
    /// <param name="name">Name of the file, for messages.</param>
    /// <param name="channels">3 for red, green and blue; 1 for grey.</param>
    public static PixelImage Parse(byte[] bytes, string name = "the image", int channels = 3)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (channels is not (1 or 3)) throw new ArgumentException($"channels is {channels}; it must be 1 or 3.",
            nameof(channels));
        if (bytes.Length == 0) throw new InvalidDataException($"{name} is empty; expected an image.");
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data)
            ?? throw new InvalidDataException($"{name} is no image that can be read; expected PNG, JPEG, WebP, BMP or GIF.");
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var pixels = new byte[info.BytesSize];
        var result = codec.GetPixels(info, out pixels);
        if (result != SKCodecResult.Success)
            throw new InvalidDataException($"{name} is a damaged {codec.EncodedFormat} image of {info.Width} × {info.Height}: "
                + (result == SKCodecResult.IncompleteInput ? "it is cut off." : $"{result}."));
        return Upright(Planes(pixels, info.Height, info.Width, channels), codec.EncodedOrigin);
    }

    /// <summary>Returns the content of a PNG file.</summary>
    public static byte[] Png(PixelImage image) => Encoded(image, SKEncodedImageFormat.Png, 100);

    /// <summary>Returns the content of a JPEG file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="quality">From 0 to 100.</param>
    public static byte[] Jpeg(PixelImage image, int quality = 90) => Encoded(image, SKEncodedImageFormat.Jpeg, quality);

    /// <summary>Returns the content of a WebP file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="quality">From 0 to 100; 100 is lossless.</param>
    public static byte[] WebP(PixelImage image, int quality = 90) => Encoded(image, SKEncodedImageFormat.Webp, quality);

    private static byte[] Encoded(PixelImage image, SKEncodedImageFormat format, int quality)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = bitmap.GetPixelSpan();
        var area = image.Height * image.Width;
        var bytes = new byte[4 * area];
        for (var at = 0; at < area; at++)
        {
            for (var channel = 0; channel < 3; channel++)
                bytes[(4 * at) + channel] = image.Pixels[(channel % image.Channels * area) + at];
            bytes[(4 * at) + 3] = 255;
        }
        System.Runtime.InteropServices.Marshal.Copy(bytes, 0, bitmap.GetPixels(), bytes.Length);
        if (format == SKEncodedImageFormat.Webp && quality == 100)
        {
            using var map = bitmap.PeekPixels();
            using var lossless = map.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 75))
                ?? throw new InvalidOperationException($"The {image} cannot be written as {format}.");
            return lossless.ToArray();
        }
        using var data = bitmap.Encode(format, quality)
            ?? throw new InvalidOperationException($"The {image} cannot be written as {format}.");
        return data.ToArray();
    }

    private static PixelImage Planes(byte[] pixels, int height, int width, int channels)
    {
        var area = height * width;
        var result = new PixelImage(channels, height, width);
        for (var at = 0; at < area; at++)
        {
            var (red, green, blue) = (pixels[4 * at], pixels[(4 * at) + 1], pixels[(4 * at) + 2]);
            if (channels == 1)
            {
                result.Pixels[at] = ImageColors.Luma(red, green, blue);
                continue;
            }
            result.Pixels[at] = red;
            result.Pixels[area + at] = green;
            result.Pixels[(2 * area) + at] = blue;
        }
        return result;
    }

    private static PixelImage Upright(PixelImage image, SKEncodedOrigin origin) => origin switch
    {
        SKEncodedOrigin.TopRight => image.Flipped(),
        SKEncodedOrigin.BottomRight => Turned(image, (row, column) => (image.Height - 1 - row, image.Width - 1 - column),
            isOnSide: false),
        SKEncodedOrigin.BottomLeft => Turned(image, (row, column) => (image.Height - 1 - row, column), isOnSide: false),
        SKEncodedOrigin.LeftTop => Turned(image, (row, column) => (column, row), isOnSide: true),
        SKEncodedOrigin.RightTop => Turned(image, (row, column) => (image.Height - 1 - column, row), isOnSide: true),
        SKEncodedOrigin.RightBottom => Turned(image, (row, column) => (image.Height - 1 - column, image.Width - 1 - row),
            isOnSide: true),
        SKEncodedOrigin.LeftBottom => Turned(image, (row, column) => (column, image.Width - 1 - row), isOnSide: true),
        _ => image,
    };

    private static PixelImage Turned(PixelImage image, Func<int, int, (int Row, int Column)> from, bool isOnSide)
    {
        var result = isOnSide ? new PixelImage(image.Channels, image.Width, image.Height)
            : new PixelImage(image.Channels, image.Height, image.Width);
        for (var row = 0; row < result.Height; row++)
            for (var column = 0; column < result.Width; column++)
            {
                var (sourceRow, sourceColumn) = from(row, column);
                for (var channel = 0; channel < image.Channels; channel++)
                    result[channel, row, column] = image[channel, sourceRow, sourceColumn];
            }
        return result;
    }
}
