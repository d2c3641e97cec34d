using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>An image in memory.</summary>
/// <param name="Channels">Number of channels: 3 for red, green and blue, 1 for grey.</param>
/// <param name="Height">Number of rows.</param>
/// <param name="Width">Number of columns.</param>
/// <param name="Pixels">Levels from 0 to 255, [channels, height, width].</param>
public sealed record PixelImage(int Channels, int Height, int Width, byte[] Pixels)
{
    /// <summary>Makes a black image.</summary>
    public PixelImage(int channels, int height, int width) : this(channels, height, width, new byte[channels * height * width])
    {
    }

    /// <summary>Returns a level.</summary>
    public byte this[int channel, int row, int column]
    {
        get => Pixels[(((channel * Height) + row) * Width) + column];
        set => Pixels[(((channel * Height) + row) * Width) + column] = value;
    }

    /// <summary>Returns a rectangle of the image; what lies outside of it is black.</summary>
    /// <param name="top">First row; may be negative.</param>
    /// <param name="left">First column; may be negative.</param>
    /// <param name="height">Number of rows.</param>
    /// <param name="width">Number of columns.</param>
    public PixelImage Crop(int top, int left, int height, int width)
    {
        Require.Sizes((height, nameof(height)), (width, nameof(width)));
        var result = new PixelImage(Channels, height, width);
        var (first, last) = (Math.Max(0, left), Math.Min(Width, left + width));
        for (var channel = 0; channel < Channels && last > first; channel++)
            for (var row = Math.Max(0, -top); row < height && top + row < Height; row++)
                Pixels.AsSpan((((channel * Height) + top + row) * Width) + first, last - first)
                    .CopyTo(result.Pixels.AsSpan((((channel * height) + row) * width) + first - left));
        return result;
    }

    /// <summary>Returns the image with left and right exchanged.</summary>
    public PixelImage Flipped()
    {
        var result = this with { Pixels = [.. Pixels] };
        for (var row = 0; row < Channels * Height; row++) result.Pixels.AsSpan(row * Width, Width).Reverse();
        return result;
    }

    /// <summary>Returns the image at another size, each level the weighted mean of those below it (triangle filter).</summary>
    /// <remarks>
    /// As Pillow's bilinear resampling: when the image becomes smaller, the filter grows, so that no pixel is passed over.
    /// </remarks>
    public PixelImage Resized(int height, int width)
    {
        Require.Sizes((height, nameof(height)), (width, nameof(width)));
        return height == Height && width == Width ? this : ImageResampling.Run(this, height, width);
    }

    /// <inheritdoc/>
    public override string ToString() => $"image of {Channels} channels, {Height} × {Width}";
}
