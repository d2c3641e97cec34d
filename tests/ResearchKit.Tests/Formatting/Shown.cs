using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Formatting;

namespace ResearchKit.Tests.Formatting;

/// <summary>What a host would show, and how the tests read it.</summary>
internal static partial class Shown
{
    static Shown() => Formatters.Install();

    public static string Page(object value) => value.ToDisplayString("text/html");

    public static string Text(object value) => value.ToDisplayString("text/plain");

    /// <summary>The page as a document, without its styles; throws where it is not well-formed.</summary>
    public static XElement Document(object value)
    {
        var page = XElement.Parse(Page(value), LoadOptions.PreserveWhitespace);
        page.Descendants("style").Remove();
        return page;
    }

    /// <summary>Every address and every script of a page keeps to what is in it.</summary>
    public static void AssertSelfContained(string page)
    {
        Assert.DoesNotMatch(Network(), Numbers().Replace(page, ""));
        Assert.All(Addresses().Matches(page), match =>
            Assert.Matches("^data:(image/png|audio/wav);base64,", match.Groups[1].Value));
    }

    /// <summary>Reads a PNG of ours back: its size and its decompressed rows; checks every checksum.</summary>
    public static (int Width, int Height, int ColorType, byte[] Rows) Decode(ReadOnlySpan<byte> png)
    {
        Assert.Equal([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], png[..8].ToArray());
        var (width, height, type) = (0, 0, 0);
        using var data = new MemoryStream();
        for (png = png[8..]; png.Length > 0;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png);
            var body = png.Slice(8, length);
            Assert.Equal(PngImage.Checksum(png.Slice(4, length + 4)), BinaryPrimitives.ReadUInt32BigEndian(png[(8 + length)..]));
            var name = System.Text.Encoding.ASCII.GetString(png.Slice(4, 4));
            if (name == "IHDR")
                (width, height, type) =
                    (BinaryPrimitives.ReadInt32BigEndian(body), BinaryPrimitives.ReadInt32BigEndian(body[4..]), body[9]);
            if (name == "IDAT") data.Write(body);
            png = png[(12 + length)..];
        }
        data.Position = 0;
        using var rows = new MemoryStream();
        using (var inflate = new ZLibStream(data, CompressionMode.Decompress)) inflate.CopyTo(rows);
        return (width, height, type, rows.ToArray());
    }

    [GeneratedRegex("https?:|//[a-z]|@import|url\\(", RegexOptions.IgnoreCase)]
    private static partial Regex Network();

    [GeneratedRegex("base64,[^\"]*|data-w=\"[^\"]*\"")]
    private static partial Regex Numbers();

    [GeneratedRegex("(?:src|href)\\s*=\\s*[\"']([^\"']*)", RegexOptions.IgnoreCase)]
    private static partial Regex Addresses();
}
