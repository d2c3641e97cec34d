using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Reads and formats the header of a safetensors file: its length in 8 bytes, then JSON.</summary>
internal static class SafetensorsHeader
{
    private const int LongestHeader = 100_000_000;   // the format's own limit, in bytes
    private const int MostAxes = 64;                 // libtorch's limit
    private const int CacheLine = 64;                // bytes
    private const string MetadataName = "__metadata__";

    /// <summary>Returns whether a file begins with the length of a header and an object in JSON.</summary>
    public static bool Begins(CheckpointFile part)
    {
        if (part.Length <= 8) return false;
        Span<byte> start = stackalloc byte[9];
        part.Read(0, start);
        return start[8] == (byte)'{' && BinaryPrimitives.ReadUInt64LittleEndian(start) <= LongestHeader;
    }

    /// <exception cref="InvalidDataException">
    /// The header is malformed; the message says what is wrong and where.
    /// </exception>
    public static (List<CheckpointEntry> Entries, Dictionary<string, string> Metadata) Read(CheckpointFile part)
    {
        if (part.Length < 8) throw Bad(part, $"it has {part.Length} bytes; even the header's length takes 8");
        Span<byte> prefix = stackalloc byte[8];
        part.Read(0, prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > part.Length - 8)
            throw Bad(part, $"the header is said to have {length} bytes, the file has {part.Length}"
                + (Begins(part) ? ": it is cut short" : ""));
        var header = new byte[length];
        part.Read(8, header);
        try
        {
            return Parse(header, part.Length);
        }
        // the last: text that is not UTF-8
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException)
        {
            throw Bad(part, error.Message);
        }
    }

    /// <summary>
    /// Returns the header for tensors stored one after the other, padded with spaces so that the data starts at a
    /// cache line.
    /// </summary>
    public static byte[] Format(List<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var header = new Dictionary<string, object>();
        if (metadata is not null) header[MetadataName] = metadata;
        long at = 0;
        foreach (var (name, tensor) in tensors)
        {
            var format = StoredFormat.Of(tensor.dtype)
                ?? throw new ArgumentException($"Tensor '{name}' {tensor.ShapeText()} is {tensor.dtype}, a dtype that "
                    + "safetensors does not support.");
            var end = at + (tensor.numel() * format.Size);
            if (name == MetadataName
                || !header.TryAdd(name, new { dtype = format.Name, shape = tensor.shape, data_offsets = new[] { at, end } }))
                throw new ArgumentException($"The name '{name}' occurs twice or is reserved.");
            at = end;
        }
        var json = JsonSerializer.Serialize(header);
        return Encoding.UTF8.GetBytes(
            json.PadRight(json.Length + ((CacheLine - ((8 + Encoding.UTF8.GetByteCount(json)) % CacheLine)) % CacheLine)));
    }

    private static (List<CheckpointEntry> Entries, Dictionary<string, string> Metadata) Parse(byte[] header, long fileLength)
    {
        using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
        if (json.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException("the header is not a JSON object");
        var dataStart = 8L + header.Length;
        var entries = json.RootElement.EnumerateObject().Where(property => property.Name != MetadataName)
            .Select(property => Entry(property.Name, property.Value, dataStart, fileLength - dataStart))
            .OrderBy(entry => entry.Start).ThenBy(entry => entry.SpanBytes).ToList();

        var end = dataStart;
        foreach (var entry in entries)
        {
            if (entry.Start != end)
                throw new InvalidDataException($"tensor '{entry.Name}' begins at byte {entry.Start - dataStart}, the one before "
                    + $"it ends at {end - dataStart}");
            end += entry.SpanBytes;
        }
        if (end != fileLength)
            throw new InvalidDataException($"the tensors take {end - dataStart} bytes, the file holds {fileLength - dataStart}"
                + (end > fileLength ? ": it is cut short" : ""));
        return (entries, Metadata(json.RootElement));
    }

    private static Dictionary<string, string> Metadata(JsonElement root)
    {
        if (!root.TryGetProperty(MetadataName, out var texts)) return [];
        if (texts.ValueKind != JsonValueKind.Object
            || texts.EnumerateObject().Any(pair => pair.Value.ValueKind != JsonValueKind.String))
            throw new InvalidDataException($"{MetadataName} is not an object of texts");
        return texts.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!);
    }

    private static CheckpointEntry Entry(string name, JsonElement value, long dataStart, long dataLength)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || !TryNumbers(shape, out var sizes) || sizes.Length > MostAxes
            || !value.TryGetProperty("data_offsets", out var offsets) || !TryNumbers(offsets, out var range) || range.Length != 2)
            throw new InvalidDataException(
                $"tensor '{name}' lacks a dtype, a shape of at most {MostAxes} sizes, or two data_offsets");
        var format = StoredFormat.Named(dtype.GetString()!)
            ?? throw new InvalidDataException($"tensor '{name}' has dtype '{dtype.GetString()}'; known are {StoredFormat.Known}");
        if (range[0] > range[1] || range[1] > dataLength)
            throw new InvalidDataException($"tensor '{name}' lies at bytes {range[0]} to {range[1]} of {dataLength} bytes "
                + $"of data{(range[0] <= range[1] ? ": the file is cut short" : "")}");
        if (Bytes(sizes, format.Size) != range[1] - range[0])
            throw new InvalidDataException($"tensor '{name}' of shape [{string.Join(", ", sizes)}] and dtype {format.Name} does "
                + $"not take {range[1] - range[0]} bytes");
        return new CheckpointEntry(name, format, sizes, dataStart + range[0]);
    }

    private static bool TryNumbers(JsonElement list, out long[] numbers)
    {
        numbers = [];
        if (list.ValueKind != JsonValueKind.Array) return false;
        var items = new List<long>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0) return false;
            items.Add(number);
        }
        numbers = [.. items];
        return true;
    }

    /// <summary>Returns a tensor's size in bytes; -1 if the product overflows, even if another size is 0.</summary>
    private static long Bytes(long[] shape, int size)
    {
        try
        {
            var bytes = shape.Aggregate((long)size, (product, length) => checked(product * Math.Max(1, length)));
            return shape.Contains(0) ? 0 : bytes;
        }
        catch (OverflowException)
        {
            return -1;
        }
    }

    private static InvalidDataException Bad(CheckpointFile part, string why) =>
        new($"{part.Path} is not a safetensors file: {why}.");
}
