using System.Buffers.Binary;
using System.Text;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>Locates the entries of a zip file. Nothing is decompressed.</summary>
/// <remarks>https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, §4.3, with zip64.</remarks>
internal static class ZipDirectory
{
    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50,
        EntrySignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndSize = 22, EntrySize = 46, LocalSize = 30, LongestComment = 65535, Encrypted = 1;

    /// <summary>
    /// Returns offset and length of each entry's data, by name. The length of a compressed entry is -1: torch.save stores all
    /// that it needs uncompressed, and TorchScript compresses only the code, which is not read.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The file is not a zip, or its entries are overlapping or repeated.
    /// </exception>
    public static Dictionary<string, (long Start, long Length)> Read(CheckpointFile part)
    {
        var (start, length) = FindDirectory(part);
        var directory = new byte[length];
        part.Read(start, directory);
        var entries = new Dictionary<string, (long Start, long Length)>();
        var places = new List<(long Start, long End, string Name)>();
        for (var at = 0; at < directory.Length;)
        {
            var (name, local, size, compressed, next) = Entry(part, directory, at);
            var data = DataStart(part, name, local);
            if (size > start - data)
                throw Bad(part, $"entry '{name}' of {size} bytes from {data} on reaches into the directory at {start}");
            if (!entries.TryAdd(name, (data, compressed ? -1 : size))) throw Bad(part, $"it has two entries '{name}'");
            places.Add((local, data + size, name));
            at = next;
        }
        places.Sort();
        for (var i = 1; i < places.Count; i++)
            if (places[i].Start < places[i - 1].End)
                throw Bad(part, $"entries '{places[i - 1].Name}' and '{places[i].Name}' overlap at byte {places[i].Start}");
        return entries;
    }

    private static (long Start, int Length) FindDirectory(CheckpointFile part)
    {
        var tail = new byte[Math.Min(part.Length, EndSize + LongestComment)];
        var tailStart = part.Length - tail.Length;
        part.Read(tailStart, tail);
        for (var at = tail.Length - EndSize; at >= 0; at--)
            if (Int(tail, at) == EndSignature) return Directory(part, tail.AsSpan(at, EndSize), tailStart + at);
        throw Bad(part, "its directory at the end is missing: the file is cut short");
    }

    private static (long Start, int Length) Directory(CheckpointFile part, ReadOnlySpan<byte> end, long endStart)
    {
        ulong length = Int(end, 12), start = Int(end, 16);
        if (start == uint.MaxValue || length == uint.MaxValue || Short(end, 10) == ushort.MaxValue)
            (start, length) = Directory64(part, endStart);
        if (start > (ulong)endStart || length > (ulong)endStart - start || length > int.MaxValue)
            throw Bad(part, $"its directory of {length} bytes is said to begin at byte {start} of {part.Length}");
        return ((long)start, (int)length);
    }

    private static (ulong Start, ulong Length) Directory64(CheckpointFile part, long endStart)
    {
        Span<byte> locator = stackalloc byte[20], end = stackalloc byte[56];
        if (endStart < 76) throw Bad(part, "its zip64 directory is missing");
        part.Read(endStart - 20, locator);
        var place = Long(locator, 8);
        if (Int(locator, 0) != Locator64Signature || place > (ulong)endStart - 76)
            throw Bad(part, "its zip64 directory is missing");
        part.Read((long)place, end);
        return Int(end, 0) == End64Signature ? (Long(end, 48), Long(end, 40))
            : throw Bad(part, $"its zip64 directory is not at byte {place}");
    }

    private static (string Name, long Local, long Size, bool Compressed, int Next) Entry(CheckpointFile part,
        ReadOnlySpan<byte> directory, int at)
    {
        if (directory.Length - at < EntrySize || Int(directory, at) != EntrySignature)
            throw Bad(part, $"its directory is damaged at byte {at} of it");
        var entry = directory[at..];
        int nameLength = Short(entry, 28), extraLength = Short(entry, 30),
            next = EntrySize + nameLength + extraLength + Short(entry, 32);
        if (entry.Length < next) throw Bad(part, $"its directory is damaged at byte {at} of it");
        var name = Encoding.UTF8.GetString(entry.Slice(EntrySize, nameLength));
        ulong packed = Int(entry, 20), size = Int(entry, 24), local = Int(entry, 42);
        Extend64(entry.Slice(EntrySize + nameLength, extraLength), ref size, ref packed, ref local);
        var compressed = Short(entry, 10) != 0;
        if (!compressed && packed != size)
            throw Bad(part, $"entry '{name}' is not compressed, and has {packed} bytes for {size}");
        if ((Short(entry, 8) & Encrypted) != 0) throw Bad(part, $"entry '{name}' is encrypted");
        if (local > (ulong)part.Length || packed > (ulong)part.Length)
            throw Bad(part, $"entry '{name}' of {packed} bytes is said to begin at byte {local} of {part.Length}");
        return (name, (long)local, (long)packed, compressed, at + next);
    }

    /// <summary>
    /// Reads the zip64 extra field, which holds, in this order, the numbers that do not fit into 32 bits.
    /// </summary>
    private static void Extend64(ReadOnlySpan<byte> extra, ref ulong size, ref ulong packed, ref ulong local)
    {
        while (extra.Length >= 4)
        {
            int kind = Short(extra, 0), length = Math.Min(Short(extra, 2), extra.Length - 4);
            var field = extra.Slice(4, length);
            if (kind == 1)
            {
                Take(ref field, ref size);
                Take(ref field, ref packed);
                Take(ref field, ref local);
            }
            extra = extra[(4 + length)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref ulong value)
        {
            if (value != uint.MaxValue || field.Length < 8) return;
            value = Long(field, 0);
            field = field[8..];
        }
    }

    private static long DataStart(CheckpointFile part, string name, long local)
    {
        Span<byte> header = stackalloc byte[LocalSize];
        if (local > part.Length - LocalSize) throw Bad(part, $"entry '{name}' is said to begin at byte {local} of {part.Length}");
        part.Read(local, header);
        if (Int(header, 0) != LocalSignature) throw Bad(part, $"entry '{name}' is not at byte {local}");
        return local + LocalSize + Short(header, 26) + Short(header, 28);
    }

    private static uint Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static ushort Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static InvalidDataException Bad(CheckpointFile part, string why) =>
        new($"{part.Path} is not a PyTorch checkpoint: {why}.");
}
