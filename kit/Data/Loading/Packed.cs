using System.IO.Compression;

namespace ResearchKit.Data;

/// <summary>Reads files that may be compressed with gzip.</summary>
internal static class Packed
{
    public static byte[] Read(string path) => Unpack(File.ReadAllBytes(path), path);

    /// <summary>
    /// Decompresses the content of a file whose name ends in .gz or .tgz; returns other content unchanged.
    /// </summary>
    /// <exception cref="InvalidDataException">The content is not in gzip format.</exception>
    public static byte[] Unpack(byte[] bytes, string name)
    {
        if (!name.EndsWith(".gz", StringComparison.Ordinal) && !name.EndsWith(".tgz", StringComparison.Ordinal)) return bytes;
        try
        {
            using var unpacking = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
            using var result = new MemoryStream();
            unpacking.CopyTo(result);
            return result.ToArray();
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{name} is not a gzip file: {error.Message}", error);
        }
    }
}
