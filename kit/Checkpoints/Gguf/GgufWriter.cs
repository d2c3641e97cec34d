using System.Text;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Writes GGUF files, version 3.</summary>
public static class GgufWriter
{
    /// <summary>
    /// Writes a file to a temporary name and renames it, so that the path holds the old file or the whole new one.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="values">
    /// Values by name: <c>int</c> (stored as uint32 where it is not negative), <c>long</c>, <c>float</c>, <c>double</c> (stored
    /// as float32), <c>byte</c>, <c>bool</c>, <c>string</c>, or arrays of one of these.
    /// </param>
    /// <param name="tensors">Floating-point tensors by name, each with its type.</param>
    /// <exception cref="ArgumentException">
    /// A value has another type, a name is longer than 64 bytes or occurs twice, or a row is no multiple of the type's block.
    /// </exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, object>> values,
        IEnumerable<(string Name, Tensor Tensor, GgufType Type)> tensors)
    {
        var all = tensors.ToList();
        foreach (var (name, tensor, type) in all) Check(name, tensor, type);
        if (all.CountBy(one => one.Name).FirstOrDefault(pair => pair.Value > 1).Key is { } twice)
            throw new ArgumentException($"The name '{twice}' occurs twice.");
        var header = Header([.. values], all);
        AtomicWrite.To(path, temporary =>
        {
            using var stream = File.Create(temporary);
            stream.Write(header);
            foreach (var (_, tensor, type) in all)
            {
                Pad(stream);
                WriteData(stream, tensor, type);
            }
        });
    }

    private static byte[] Header(List<KeyValuePair<string, object>> values,
        List<(string Name, Tensor Tensor, GgufType Type)> tensors)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(GgufFile.Magic);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)values.Count);
        foreach (var (key, value) in values)
        {
            Text(writer, key);
            writer.Write(TypeOf(value));
            Value(writer, value);
        }
        var offset = 0L;
        foreach (var (name, tensor, type) in tensors)
        {
            Text(writer, name);
            writer.Write((uint)tensor.dim());
            foreach (var size in tensor.shape.Reverse()) writer.Write((ulong)size);
            writer.Write((uint)type);
            writer.Write((ulong)offset);
            offset = Aligned(offset + Bytes(tensor, type));
        }
        return memory.ToArray();
    }

    private static void WriteData(FileStream stream, Tensor tensor, GgufType type)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.detach().to(ScalarType.Float32).cpu().contiguous().flatten();
        var (numbers, bytes) = GgufBlocks.Size(type);
        var part = Math.Max(1, (1 << 16) / numbers) * numbers;
        var encoded = new byte[part / numbers * bytes];
        for (var at = 0L; at < flat.numel(); at += part)
        {
            using var inner = NewDisposeScope();
            var count = (int)Math.Min(part, flat.numel() - at);
            var source = flat.narrow(0, at, count).data<float>().ToArray();
            GgufBlocks.Encode(type, source, encoded);
            stream.Write(encoded, 0, count / numbers * bytes);
        }
    }

    private static void Check(string name, Tensor tensor, GgufType type)
    {
        var numbers = GgufBlocks.Size(type).Numbers;
        if (Encoding.UTF8.GetByteCount(name) > 64) throw new ArgumentException($"'{name}' is longer than 64 bytes.");
        if (!tensor.is_floating_point())
            throw new ArgumentException($"'{name}' is {tensor.dtype}; expected floating-point numbers.");
        if (tensor.dim() is 0 or > 4) throw new ArgumentException($"'{name}' is {tensor.ShapeText()}; expected 1 to 4 axes.");
        if (tensor.shape[^1] % numbers != 0)
            throw new ArgumentException($"'{name}' is {tensor.ShapeText()}; {type} needs rows of a multiple of {numbers} "
                + "numbers.");
    }

    private static uint TypeOf(object value) => value switch
    {
        byte => 0,
        int number => number < 0 ? 5u : 4u,
        float or double => 6,
        bool => 7,
        string => 8,
        long => 11,
        Array => 9,
        _ => throw new ArgumentException($"A value is a {value.GetType().Name}; expected a number, a bool, a string or an "
            + "array."),
    };

    private static void Value(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case byte number: writer.Write(number); break;
            case int number: writer.Write(number); break;
            case long number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case double number: writer.Write((float)number); break;
            case bool flag: writer.Write((byte)(flag ? 1 : 0)); break;
            case string text: Text(writer, text); break;
            case Array { Length: > 0 } array:
                var types = array.Cast<object>().Select(TypeOf).Distinct().ToList();
                if (types.Count > 1 && !types.All(type => type is 4 or 5))
                    throw new ArgumentException("The values of an array have different types.");
                writer.Write(types.Count > 1 ? 5u : types[0]);   // some numbers are negative: int32
                writer.Write((ulong)array.Length);
                foreach (var item in array) Value(writer, item!);
                break;
            default:
                writer.Write(8u);   // an empty array
                writer.Write(0ul);
                break;
        }
    }

    private static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Pad(FileStream stream) => stream.Write(new byte[Aligned(stream.Position) - stream.Position]);

    private static long Aligned(long position) =>
        (position + GgufFile.DefaultAlignment - 1) / GgufFile.DefaultAlignment * GgufFile.DefaultAlignment;

    private static long Bytes(Tensor tensor, GgufType type)
    {
        var (numbers, bytes) = GgufBlocks.Size(type);
        return tensor.numel() / numbers * bytes;
    }
}
