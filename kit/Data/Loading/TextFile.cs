using System.Text;

namespace ResearchKit.Data;

/// <summary>Reads text files, which may be compressed with gzip. No letter is lost: other encodings are refused.</summary>
internal static class TextFile
{
    /// <param name="path">The file.</param>
    /// <param name="encoding">Its encoding; null for that of its byte order mark, else UTF-8.</param>
    /// <exception cref="InvalidDataException">The file is not in that encoding; the message names the line.</exception>
    public static string Read(string path, Encoding? encoding = null)
    {
        var bytes = Packed.Read(path);
        if (encoding is not null) return encoding.GetString(bytes).TrimStart('\uFEFF');
        if (bytes.AsSpan().StartsWith([(byte)0xFF, (byte)0xFE])) return Encoding.Unicode.GetString(bytes.AsSpan(2));
        if (bytes.AsSpan().StartsWith([(byte)0xFE, (byte)0xFF])) return Encoding.BigEndianUnicode.GetString(bytes.AsSpan(2));
        return Utf8(bytes, Path.GetFileName(path));
    }

    /// <summary>Decodes UTF-8.</summary>
    /// <exception cref="InvalidDataException">The bytes are not UTF-8; the message names the line.</exception>
    public static string Utf8(byte[] bytes, string name)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException error)
        {
            var line = 1 + bytes.AsSpan(0, Math.Clamp(error.Index, 0, bytes.Length)).Count((byte)'\n');
            throw new InvalidDataException($"{name} is not UTF-8: line {line} has the byte "
                + $"0x{error.BytesUnknown?.FirstOrDefault():X2}. Name its encoding, such as "
                + $"{nameof(Encoding)}.{nameof(Encoding.Latin1)}, or convert it.", error);
        }
    }
}
