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

    /// <summary>Opcode and first bytes of the magic number in a binary pickle.</summary>
    private static ReadOnlySpan<byte> LongMagic => [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46];

    /// <summary>Returns whether a file begins like one of the two formats.</summary>
    public static bool IsOne(CheckpointFile part) => IsZip(part) || IsStream(part);

    /// <summary>Reads the entries of the file's state dict, and says what it holds beside them.</summary>
    /// <param name="part">The file.</param>
    /// <param name="key">Name of the state dict to read; null for the one that is plainly the model's.</param>
    /// <exception cref="InvalidDataException">
    /// The file is malformed; the message says what is wrong and where.
    /// </exception>
    public static (List<CheckpointEntry> Entries, List<(string Name, string What)> PassedOver) Read(CheckpointFile part,
        string? key) =>
        IsZip(part) ? ReadZip(part, key) : ReadStream(part, key);

    private static bool IsZip(CheckpointFile part) => Begins(part, [0x50, 0x4b, 3, 4]);

    /// <summary>Checks for the start of the older stream: a pickle of the magic number, in any protocol.</summary>
    private static bool IsStream(CheckpointFile part)
    {
        Span<byte> start = stackalloc byte[(int)Math.Min(part.Length, 64)];
        part.Read(0, start);
        return start.Length > 0 && (start[0] == 0x80 ? start.IndexOf(LongMagic) >= 0
            : start.StartsWith("L119547037146038801333356L\n"u8));
    }

    private static bool Begins(CheckpointFile part, ReadOnlySpan<byte> with)
    {
        if (part.Length < with.Length) return false;
        Span<byte> bytes = stackalloc byte[with.Length];
        part.Read(0, bytes);
        return bytes.SequenceEqual(with);
    }

    private static (List<CheckpointEntry> Entries, List<(string Name, string What)> PassedOver) ReadZip(CheckpointFile part,
        string? key)
    {
        var zip = ZipDirectory.Read(part);
        var pickles = zip.Keys.Where(name => name == "data.pkl" || name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToList();
        if (pickles.Count == 0 && zip.Keys.All(name => name.EndsWith(".npy", StringComparison.Ordinal)))
            throw Bad(part, "it is a NumPy archive (.npz)");
        if (pickles.Count != 1)
            throw Bad(part, $"it has {pickles.Count} entries data.pkl; expected 1. "
                + $"It is a zip of {string.Join(", ", zip.Keys.Take(3))}");
        var folder = pickles[0][..^"data.pkl".Length];
        var bigEndian = zip.TryGetValue($"{folder}byteorder", out var order) && IsBigEndian(part, order);

        var (start, length) = zip[pickles[0]];
        if (length < 0) throw Compressed(part, pickles[0]);
        var unpickler = new Unpickler(new PickleInput(part, start, start + length));
        var root = unpickler.Load();
        return Entries(part, root, key, (storage, format) =>
        {
            var name = $"{folder}data/{storage.Key}";
            if (!zip.TryGetValue(name, out var data)) throw Bad(part, $"it lacks the elements of storage '{storage.Key}'");
            if (data.Length < 0) throw Compressed(part, name);
            if (data.Length / storage.Size != storage.Count || data.Length % storage.Size != 0)
                throw Bad(part, $"storage '{storage.Key}' is said to have {storage.Count} elements of {format.Name}, and has "
                    + $"{data.Length} bytes");
            return data.Start;
        }, bigEndian);
    }

    private static (List<CheckpointEntry> Entries, List<(string Name, string What)> PassedOver) ReadStream(CheckpointFile part,
        string? key)
    {
        var input = new PickleInput(part, 0, part.Length);
        if (!Magic.Equals(new Unpickler(input).Load())) throw Bad(part, "its magic number is not that of torch.save");
        if (new Unpickler(input).Load() is not 1001L) throw Bad(part, "its protocol is not 1001");
        if (new Unpickler(input).Load() is not PickledDict) throw Bad(part,
            "it lacks the description of the system that wrote it");
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
            if (stored != storage.Count || stored > (part.Length - at) / storage.Size)
                throw Bad(part, $"storage '{name}' of {storage.Count} elements of {storage.Type} is said to have {stored} "
                    + $"at byte {at}, where {part.Length - at} bytes follow");
            starts.Add(name, at);
            at += stored * storage.Size;
        }
        if (unpickler.Storages.Keys.FirstOrDefault(name => !starts.ContainsKey(name)) is { } absent)
            throw Bad(part, $"it lacks the elements of storage '{absent}'");
        return Entries(part, root, key, (storage, _) => starts[storage.Key], bigEndian: false);   // always little-endian
    }

    private static (List<CheckpointEntry> Entries, List<(string Name, string What)> PassedOver) Entries(CheckpointFile part,
        object? root,
        string? key, Func<PickledStorage, StoredFormat, long> startOf, bool bigEndian)
    {
        var found = StateDictSearch.Find(part.Path, root, key);
        var starts = new Dictionary<string, long>();
        var entries = new List<CheckpointEntry>();
        foreach (var (name, tensor) in found.Tensors)
        {
            if (!starts.TryGetValue(tensor.Storage.Key, out var start))
                starts.Add(tensor.Storage.Key, start = startOf(tensor.Storage, tensor.Format));
            entries.Add(new CheckpointEntry(name, tensor.Format, tensor.Shape, start + (tensor.Offset * tensor.Format.Size))
            {
                StorageStart = start,
                Strides = IsRowMajor(tensor) ? null : tensor.Strides,
                BigEndian = bigEndian,
            });
        }
        return (entries, found.PassedOver);
    }

    private static bool IsRowMajor(PickledTensor tensor)
    {
        var step = 1L;
        for (var axis = tensor.Shape.Length - 1; axis >= 0; step *= Math.Max(1, tensor.Shape[axis]), axis--)
            if (tensor.Shape[axis] > 1 && tensor.Strides[axis] != step) return false;
        return true;
    }

    private static bool IsBigEndian(CheckpointFile part, (long Start, long Length) entry)
    {
        Span<byte> text = stackalloc byte[(int)Math.Clamp(entry.Length, 0, 16)];
        part.Read(entry.Start, text);
        return text.SequenceEqual("big"u8) || (text.SequenceEqual("little"u8) ? false
            : throw Bad(part, "its byte order is neither little nor big"));
    }

    private static InvalidDataException Compressed(CheckpointFile part, string name) =>
        Bad(part, $"entry '{name}' is compressed; torch.save stores its entries uncompressed");

    private static InvalidDataException Bad(CheckpointFile part, string why) =>
        new($"{part.Path} is not a PyTorch checkpoint: {why}.");
}
