using System.IO.Compression;

namespace ResearchKit.Data;

/// <summary>Files that may be packed with gzip.</summary>
internal static class Packed
{
    public static byte[] Read(string path) => Unpack(File.ReadAllBytes(path), path);

    /// <summary>Unpacks what is called .gz or .tgz; other files are as they are.</summary>
    /// <exception cref="InvalidDataException">It is no gzip.</exception>
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
