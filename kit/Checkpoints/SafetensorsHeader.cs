using System.Text;
using System.Text.Json;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>One tensor of the file; <paramref name="Start"/> counts from the end of the header.</summary>
internal sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Start, long Bytes);

/// <summary>The JSON header of a safetensors file.</summary>
internal static class SafetensorsHeader
{
    private static readonly Dictionary<string, (ScalarType Dtype, int Size)> Dtypes = new()
    {
        ["F64"] = (ScalarType.Float64, 8),
        ["F32"] = (ScalarType.Float32, 4),
        ["F16"] = (ScalarType.Float16, 2),
        ["BF16"] = (ScalarType.BFloat16, 2),
        ["I64"] = (ScalarType.Int64, 8),
        ["I32"] = (ScalarType.Int32, 4),
        ["I16"] = (ScalarType.Int16, 2),
        ["I8"] = (ScalarType.Int8, 1),
        ["U8"] = (ScalarType.Byte, 1),
        ["BOOL"] = (ScalarType.Bool, 1),
    };

    /// <exception cref="InvalidDataException">Says which tensor is wrong, and how.</exception>
    /// <exception cref="JsonException">Not JSON.</exception>
    public static List<SafetensorsEntry> Parse(byte[] header, long dataLength)
    {
        using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
        if (json.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException("the header is not a JSON object");
        var entries = json.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__")
            .Select(property => Entry(property.Name, property.Value, dataLength)).OrderBy(entry => entry.Start).ThenBy(entry => entry.Bytes).ToList();

        long end = 0;
        foreach (var entry in entries)
        {
            if (entry.Start != end)
                throw new InvalidDataException($"tensor '{entry.Name}' begins at byte {entry.Start}, the one before it ends at {end}");
            end += entry.Bytes;
        }
        return end == dataLength ? entries : throw new InvalidDataException($"the tensors take {end} bytes, the file holds {dataLength}");
    }

    /// <summary>The header of tensors laid one after the other, padded with spaces to a multiple of 8 bytes.</summary>
    public static byte[] Format(List<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var header = new Dictionary<string, object>();
        if (metadata is not null) header["__metadata__"] = metadata;
        long at = 0;
        foreach (var (name, tensor) in tensors)
        {
            var (dtype, size) = Dtypes.Where(pair => pair.Value.Dtype == tensor.dtype).Select(pair => (pair.Key, pair.Value.Size)).FirstOrDefault();
            if (dtype is null) throw new ArgumentException($"Tensor '{name}' {tensor.ShapeText()} is {tensor.dtype}, which the format does not know.");
            var end = at + (tensor.numel() * size);
            header[name] = new { dtype, shape = tensor.shape, data_offsets = new[] { at, end } };
            at = end;
        }
        var json = JsonSerializer.Serialize(header);
        return Encoding.UTF8.GetBytes(json.PadRight(json.Length + ((8 - (Encoding.UTF8.GetByteCount(json) % 8)) % 8)));
    }

    private static SafetensorsEntry Entry(string name, JsonElement value, long dataLength)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || !TryNumbers(shape, out var sizes)
            || !value.TryGetProperty("data_offsets", out var offsets) || !TryNumbers(offsets, out var range) || range.Length != 2)
            throw new InvalidDataException($"tensor '{name}' lacks a dtype, a shape or two data_offsets");
        if (!Dtypes.TryGetValue(dtype.GetString()!, out var type))
            throw new InvalidDataException($"tensor '{name}' has dtype '{dtype.GetString()}'; known are {string.Join(", ", Dtypes.Keys)}");
        if (range[0] > range[1] || range[1] > dataLength)
            throw new InvalidDataException($"tensor '{name}' lies at bytes {range[0]} to {range[1]} of {dataLength}");
        if (Bytes(sizes, type.Size) != range[1] - range[0])
            throw new InvalidDataException($"tensor '{name}' of shape [{string.Join(", ", sizes)}] and dtype {dtype.GetString()} does not take {range[1] - range[0]} bytes");
        return new SafetensorsEntry(name, type.Dtype, sizes, range[0], range[1] - range[0]);
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

    /// <summary>Bytes of a tensor; -1 where the product does not fit.</summary>
    private static long Bytes(long[] shape, int size)
    {
        try
        {
            return shape.Aggregate((long)size, (product, length) => checked(product * length));
        }
        catch (OverflowException)
        {
            return -1;
        }
    }
}
