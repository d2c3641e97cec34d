using System.Text;

namespace ResearchKit.Checkpoints;

/// <summary>Recognises what often stands in the place of a checkpoint: a Git LFS pointer, a web page, an archive.</summary>
internal static class OtherContent
{
    private const int Looked = 512;   // bytes at the start; the mark of a tar is at 257

    private static readonly (int At, byte[] Bytes, string What)[] Marks =
    [
        (0, [0x1f, 0x8b], "is a gzip archive; unpack it first."),
        (0, [0x42, 0x5a, 0x68], "is a bzip2 archive; unpack it first."),
        (0, [0xfd, 0x37, 0x7a, 0x58, 0x5a], "is an xz archive; unpack it first."),
        (0, [0x28, 0xb5, 0x2f, 0xfd], "is a zstd archive; unpack it first."),
        (257, "ustar"u8.ToArray(), "is a tar archive; unpack it first."),
        (0, "GGUF"u8.ToArray(), "is a GGUF file, which the kit does not read; download the safetensors of the same model."),
        (0, [0x89, 0x48, 0x44, 0x46], "is an HDF5 file (Keras), which the kit does not read."),
        (0, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "is a NumPy array, not a checkpoint."),
    ];

    /// <summary>Says what a file is and what to do; null if it could be a checkpoint.</summary>
    public static string? Of(CheckpointFile part)
    {
        var start = new byte[Math.Min(part.Length, Looked)];
        part.Read(0, start);
        return Of(start, part.Length);
    }

    /// <summary>Says what a file is whose first bytes are given; null if it could be a checkpoint or a configuration.</summary>
    public static string? Of(ReadOnlySpan<byte> start, long length)
    {
        if (length == 0) return "is empty: the download or the copy failed; get it again.";
        foreach (var (at, bytes, what) in Marks)
            if (start.Length >= at + bytes.Length && start[at..].StartsWith(bytes)) return what;
        if (start.StartsWith("version https://git-lfs"u8)) return Pointer(Encoding.UTF8.GetString(start));
        if (start is [0x80, >= 2 and <= 5, ..] && (start.Length < 9 || start[8] != (byte)'{'))
            return "is a pickle, but not a file of torch.save; save the state dict with torch.save or as safetensors.";
        if (!IsText(start, length)) return null;
        var text = Encoding.UTF8.GetString(start).Trim('\ufeff', ' ', '\n', '\r', '\t');
        if (text.StartsWith('<'))
            return "is a web page (HTML or XML), such as a login or error page, saved in the place of the file; "
                + "download the file again.";
        return text.StartsWith('{') || text.StartsWith('[') ? null
            : $"is a text that begins with '{text.Split('\n')[0].Trim()[..Math.Min(60, text.Split('\n')[0].Trim().Length)]}', "
                + "not the file that was expected; download it again.";
    }

    private static string Pointer(string text)
    {
        var size = text.Split('\n').FirstOrDefault(line => line.StartsWith("size ", StringComparison.Ordinal))?[5..].Trim();
        return "is a Git LFS pointer, not the file itself" + (size is null ? "" : $", which has {size} bytes")
            + ": run 'git lfs pull' in its folder, or download the file.";
    }

    /// <summary>Whether the start looks like a text: a safetensors file begins with a length, which has zeros.</summary>
    private static bool IsText(ReadOnlySpan<byte> start, long length) =>
        start.Length >= Math.Min(length, 8) && !start.ContainsAnyInRange((byte)0, (byte)8)
            && !start.ContainsAnyInRange((byte)14, (byte)31);
}
