using System.Buffers.Binary;
using System.Numerics;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Reads files of <c>torch.save</c>: a zip (since PyTorch 1.6), or the older stream of pickles and elements.
/// </summary>
internal static class PyTorchFile
{
    private static readonly BigInteger Magic =
        BigInteger.Parse("119547037146038801333356", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Returns whether a file begins like one of the two formats.</summary>
    public static bool IsOne(CheckpointFile part) => IsZip(part) || IsStream(part);

    /// <summary>Reads the entries of the file's state dict.</summary>
    /// <param name="part">The file.</param>
    /// <param name="key">Name of the state dict to read; null for the only one.</param>
    /// <exception cref="InvalidDataException">
    /// The file is malformed; the message says what is wrong and where.
    /// </exception>
    public static List<CheckpointEntry> Read(CheckpointFile part, string? key) =>
        IsZip(part) ? ReadZip(part, key) : ReadStream(part, key);

    private static bool IsZip(CheckpointFile part) => Begins(part, [0x50, 0x4b, 3, 4]);

    /// <summary>Checks for the start of the older stream: PROTO 2, LONG1 of 10 bytes, the magic number.</summary>
    private static bool IsStream(CheckpointFile part) => Begins(part, [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46]);

    private static bool Begins(CheckpointFile part, ReadOnlySpan<byte> with)
    {
        if (part.Length < with.Length) return false;
        Span<byte> bytes = stackalloc byte[with.Length];
        part.Read(0, bytes);
        return bytes.SequenceEqual(with);
    }

    private static List<CheckpointEntry> ReadZip(CheckpointFile part, string? key)
    {
        var zip = ZipDirectory.Read(part);
        var pickles = zip.Keys.Where(name => name == "data.pkl" || name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles.Count != 1) throw Bad(part, $"it has {pickles.Count} entries data.pkl; expected 1");
        var folder = pickles[0][..^"data.pkl".Length];
        if (zip.TryGetValue($"{folder}byteorder", out var order)) CheckByteOrder(part, order);

        var (start, length) = zip[pickles[0]];
        var unpickler = new Unpickler(new PickleInput(part, start, start + length));
        var root = unpickler.Load();
        var starts = new Dictionary<string, long>();
        foreach (var (name, storage) in unpickler.Storages)
        {
            if (!zip.TryGetValue($"{folder}data/{name}", out var data))
                throw Bad(part, $"it lacks the elements of storage '{name}'");
            if (data.Length / storage.Format.Size != storage.Count || data.Length % storage.Format.Size != 0)
                throw Bad(part, $"storage '{name}' is said to have {storage.Count} elements of {storage.Format.Name}, and has "
                    + $"{data.Length} bytes");
            starts.Add(name, data.Start);
        }
        return StateDictSearch.Entries(part.Path, root, key, starts);
    }

    private static List<CheckpointEntry> ReadStream(CheckpointFile part, string? key)
    {
        var input = new PickleInput(part, 0, part.Length);
        if (!Magic.Equals(new Unpickler(input).Load())) throw Bad(part, "its magic number is not that of torch.save");
        if (new Unpickler(input).Load() is not 1001L) throw Bad(part, "its protocol is not 1001");
        if (new Unpickler(input).Load() is not PickledDict system
            || !system.Items.TryGetValue("little_endian", out var little) || little is not true)
            throw Bad(part, "its numbers are not little-endian");
        var unpickler = new Unpickler(input);
        var root = unpickler.Load();
        if (new Unpickler(input).Load() is not PickledList keys) throw Bad(part, "the list of its storages is missing");

        var starts = new Dictionary<string, long>();
        var at = input.Position;
        Span<byte> count = stackalloc byte[8];
        foreach (var item in keys.Items)
        {
            if (item is not string name || !unpickler.Storages.TryGetValue(name, out var storage) || starts.ContainsKey(name))
                throw Bad(part, $"the list of its storages has '{item}', which no tensor refers to or which occurs twice");
            part.Read(at, count);
            var stored = BinaryPrimitives.ReadInt64LittleEndian(count);
            at += count.Length;
            if (stored != storage.Count || stored > (part.Length - at) / storage.Format.Size)
                throw Bad(part, $"storage '{name}' of {storage.Count} elements of {storage.Format.Name} is said to have {stored} "
                    + $"at byte {at}, where {part.Length - at} bytes follow");
            starts.Add(name, at);
            at += stored * storage.Format.Size;
        }
        if (unpickler.Storages.Keys.FirstOrDefault(name => !starts.ContainsKey(name)) is { } absent)
            throw Bad(part, $"it lacks the elements of storage '{absent}'");
        return StateDictSearch.Entries(part.Path, root, key, starts);
    }

    private static void CheckByteOrder(CheckpointFile part, (long Start, long Length) entry)
    {
        Span<byte> text = stackalloc byte[(int)Math.Min(entry.Length, 16)];
        part.Read(entry.Start, text);
        if (!text.SequenceEqual("little"u8)) throw Bad(part, "its numbers are not little-endian");
    }

    private static InvalidDataException Bad(CheckpointFile part, string why) =>
        new($"{part.Path} is not a PyTorch checkpoint: {why}.");
}
