using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// A file of llama.cpp: values by name (the architecture, its sizes, the tokenizer), then tensors in full precision or in
/// blocks of a few bits.
/// </summary>
/// <remarks>
/// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. Nothing is executed, and no
/// allocation is larger than the file's length justifies. <see cref="GgufWriter"/> writes such files.
/// </remarks>
public sealed class GgufFile
{
    internal const uint Magic = 0x46554747;   // "GGUF"
    internal const int DefaultAlignment = 32;
    private const int MostAxes = 8;
    private readonly string path;

    private GgufFile(string path, Dictionary<string, object> values, List<GgufTensor> tensors) =>
        (this.path, Values, Tensors) = (path, values, tensors);

    /// <summary>
    /// The values by name: <c>long</c>, <c>double</c>, <c>bool</c>, <c>string</c>, or <c>object[]</c> of these.
    /// </summary>
    public IReadOnlyDictionary<string, object> Values { get; }

    /// <summary>The tensors in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>The architecture, such as <c>llama</c>; empty where the file names none.</summary>
    public string Architecture => Values.GetValueOrDefault("general.architecture") as string ?? "";

    /// <summary>Reads the header of a file.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is truncated, inconsistent, of another version or not in the format; the message says what is wrong.
    /// </exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    public static GgufFile Open(string path)
    {
        using var stream = File.OpenRead(path);
        try
        {
            return Read(path, stream);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw new InvalidDataException($"{path} cannot be read as GGUF: {error.Message}.", error);
        }
    }

    /// <summary>Reads a tensor as float32. The caller disposes it.</summary>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    public Tensor Read(string name)
    {
        var entry = Tensors.FirstOrDefault(tensor => tensor.Name == name)
            ?? throw new KeyNotFoundException($"{path} has no tensor '{name}'.");
        var (numbers, bytes) = GgufBlocks.Size(entry.Type);
        var result = zeros([entry.Count], ScalarType.Float32);
        using var stream = File.OpenRead(path);
        stream.Position = entry.Start;
        var blocks = Math.Max(1, (1 << 16) / numbers);   // a part at a time: the file may be larger than the memory
        var (part, decoded) = (new byte[blocks * bytes], new float[blocks * numbers]);
        for (var at = 0L; at < entry.Count; at += decoded.Length)
        {
            var count = (int)Math.Min(decoded.Length, entry.Count - at);
            stream.ReadExactly(part, 0, count / numbers * bytes);
            GgufBlocks.Decode(entry.Type, part, decoded.AsSpan(0, count));
            using var target = result.narrow(0, at, count);
            using var source = tensor(decoded.AsSpan(0, count).ToArray());
            target.copy_(source);
        }
        using (result) return result.view([.. entry.Shape]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"GGUF {Architecture}: {Tensors.Count} tensors, {Values.Count} values, "
        + string.Join(", ", Tensors.CountBy(tensor => tensor.Type).Select(pair => $"{pair.Value} {pair.Key}"));

    private static GgufFile Read(string path, FileStream stream)
    {
        var cursor = new GgufCursor(stream);
        if (stream.Length < 24 || cursor.UInt32() != Magic) throw new InvalidDataException("it does not begin with GGUF");
        if (cursor.UInt32() is var version and not (2 or 3))
            throw new InvalidDataException($"its version is {version}; known are 2 and 3");
        var tensorCount = cursor.Count("tensors", 24);
        var valueCount = cursor.Count("values", 13);
        var values = new Dictionary<string, object>();
        for (var i = 0; i < valueCount; i++)
        {
            var key = cursor.Text();
            if (!values.TryAdd(key, cursor.Value(cursor.UInt32())))
                throw new InvalidDataException($"the value '{key}' occurs twice");
        }
        var infos = Enumerable.Range(0, tensorCount).Select(_ => Info(cursor)).ToList();
        var alignment = values.GetValueOrDefault("general.alignment") is long given ? given : DefaultAlignment;
        if (alignment is < 1 or > 1 << 20) throw new InvalidDataException($"its alignment is {alignment}");
        var start = checked((cursor.Position + alignment - 1) / alignment * alignment);
        return new GgufFile(path, values, [.. infos.Select(info => Placed(info, start, alignment, stream.Length))]);
    }

    private static (string Name, long[] Shape, GgufType Type, ulong Offset) Info(GgufCursor cursor)
    {
        var name = cursor.Text();
        var axes = cursor.UInt32();
        if (axes > MostAxes) throw new InvalidDataException($"'{name}' has {axes} axes; at most {MostAxes} are known");
        var shape = new long[axes];
        for (var axis = (int)axes - 1; axis >= 0; axis--) shape[axis] = checked((long)cursor.UInt64());
        return (name, shape, (GgufType)cursor.UInt32(), cursor.UInt64());
    }

    private static GgufTensor Placed((string Name, long[] Shape, GgufType Type, ulong Offset) info, long start, long alignment,
        long length)
    {
        var (numbers, bytes) = GgufBlocks.Size(info.Type);
        var count = info.Shape.Aggregate(1L, (product, size) => checked(product * size));
        if (info.Shape.Length > 0 && info.Shape[^1] % numbers != 0)
            throw new InvalidDataException($"'{info.Name}' has rows of {info.Shape[^1]} numbers, {info.Type} has blocks of "
                + $"{numbers}");
        var size = checked(count / numbers * bytes);
        var at = checked(start + (long)info.Offset);
        if (info.Offset % (ulong)alignment != 0 || at > length - size)
            throw new InvalidDataException($"'{info.Name}' is said to lie at byte {at} with {size} bytes; the file has {length}");
        return new GgufTensor(info.Name, info.Shape, info.Type, at, size);
    }
}
