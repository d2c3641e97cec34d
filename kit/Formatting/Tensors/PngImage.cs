using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>
/// Encodes small images as PNG (ISO/IEC 15948): signature, header, optional palette, compressed rows, end.
/// </summary>
internal static class PngImage
{
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];
    private static readonly uint[] Remainders = [.. Enumerable.Range(0, 256).Select(Remainder)];

    /// <summary>Encodes an image with a palette of at most 256 colors.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="indexes">Palette index of each pixel, row by row.</param>
    /// <param name="palette">The colors.</param>
    public static byte[] Indexed(int width, int height, ReadOnlySpan<byte> indexes, IReadOnlyList<Color> palette)
    {
        byte[] colors = [.. palette.SelectMany(color => new[] { color.Red, color.Green, color.Blue })];
        byte[] alphas = [.. palette.Select(color => color.Alpha)];
        return Write(width, height, 3, 1, indexes, colors, alphas.Any(alpha => alpha < 255) ? alphas : []);
    }

    /// <summary>Encodes an image of RGB pixels.</summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="pixels">Red, green, blue of each pixel, row by row.</param>
    public static byte[] Rgb(int width, int height, ReadOnlySpan<byte> pixels) => Write(width, height, 2, 3, pixels, [], []);

    /// <summary>Returns a data URI with the image.</summary>
    public static string DataUri(byte[] png) => $"data:image/png;base64,{Convert.ToBase64String(png)}";

    private static byte[] Write(
        int width, int height, byte colorType, int channels, ReadOnlySpan<byte> pixels, byte[] palette, byte[] transparency)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = colorType;

        using var file = new MemoryStream();
        file.Write(Signature);
        Chunk(file, "IHDR", header);
        if (palette.Length > 0) Chunk(file, "PLTE", palette);
        if (transparency.Length > 0) Chunk(file, "tRNS", transparency);
        Chunk(file, "IDAT", Compressed(width * channels, height, pixels));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static byte[] Compressed(int rowLength, int height, ReadOnlySpan<byte> pixels)
    {
        using var bytes = new MemoryStream();
        using (var deflate = new ZLibStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
            for (var row = 0; row < height; row++)
            {
                deflate.WriteByte(0);   // filter type 0: the row is stored unfiltered
                deflate.Write(pixels.Slice(row * rowLength, rowLength));
            }
        return bytes.ToArray();
    }

    private static void Chunk(MemoryStream file, string type, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Checksum(body));
        file.Write(number);
    }

    /// <summary>Computes the CRC-32 of ISO 3309 with a table.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        foreach (var value in bytes) sum = Remainders[(byte)(sum ^ value)] ^ (sum >> 8);
        return ~sum;
    }

    private static uint Remainder(int value)
    {
        var sum = (uint)value;
        for (var bit = 0; bit < 8; bit++) sum = (sum & 1) == 1 ? (sum >> 1) ^ 0xedb88320 : sum >> 1;
        return sum;
    }
}
