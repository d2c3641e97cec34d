using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Named tensors in a file: an 8-byte header length, a JSON header, then raw little-endian data.</summary>
/// <remarks>
/// https://github.com/huggingface/safetensors#format. Nothing in the file is executed, and nothing is allocated that its length
/// does not justify.
/// </remarks>
public static class SafetensorsFile
{
    private const int LongestHeader = 100_000_000;   // the format's own limit, in bytes

    /// <summary>Reads all tensors, on the CPU, which then belong to the caller.</summary>
    /// <exception cref="InvalidDataException">The file is not a whole, consistent safetensors file; says what is wrong and where.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file {path}; expected safetensors.", path);
        using var stream = File.OpenRead(path);
        var entries = ReadHeader(stream, path);
        var dataStart = stream.Position;
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var entry in entries)
            {
                stream.Position = dataStart + entry.Start;
                tensors[entry.Name] = ReadTensor(stream, entry);
            }
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    /// <summary>Writes tensors beside the file and then renames, so that the path holds the old file or the whole new one.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="tensors">Any device; float, integer and bool dtypes.</param>
    /// <param name="metadata">Free texts to keep with them.</param>
    /// <exception cref="ArgumentException">A dtype that the format does not know.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var named = tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var header = SafetensorsHeader.Format(named, metadata);
        var beside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = File.Create(beside))
            {
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (var (_, tensor) in named) WriteData(stream, tensor);
                stream.Flush(flushToDisk: true);
            }
            File.Move(beside, path, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    private static List<SafetensorsEntry> ReadHeader(FileStream stream, string path)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw Bad(path, $"it has {stream.Length} bytes; even the header's length takes 8");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > stream.Length - 8)
            throw Bad(path, $"the header is said to have {length} bytes, the file has {stream.Length}");
        var header = new byte[length];
        stream.ReadExactly(header);
        try
        {
            return SafetensorsHeader.Parse(header, dataLength: stream.Length - 8 - (long)length);
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or InvalidOperationException)   // the last: text that is not UTF-8
        {
            throw Bad(path, error.Message);
        }
    }

    private static Tensor ReadTensor(FileStream stream, SafetensorsEntry entry)
    {
        var tensor = empty(entry.Shape, entry.Dtype).DetachFromDisposeScope();
        if (tensor.numel() == 0) return tensor;
        using var flat = tensor.flatten();
        foreach (var part in Parts(flat))
            using (part) stream.ReadExactly(part.bytes);
        return tensor;
    }

    private static void WriteData(FileStream stream, Tensor tensor)
    {
        if (tensor.numel() == 0) return;
        using var scope = NewDisposeScope();
        foreach (var part in Parts(tensor.detach().cpu().contiguous().flatten())) stream.Write(part.bytes);
    }

    /// <summary>Views of a flat tensor, each short enough for a span.</summary>
    private static IEnumerable<Tensor> Parts(Tensor flat)
    {
        const long longest = 1 << 22;
        for (long at = 0, length = flat.shape[0]; at < length; at += longest)
            yield return flat.narrow(0, at, Math.Min(longest, length - at));
    }

    private static InvalidDataException Bad(string path, string why) => new($"{path} is not a safetensors file: {why}.");
}
