using System.Buffers.Binary;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Reads and writes safetensors files: an 8-byte header length, a JSON header, then raw little-endian data.
/// </summary>
/// <remarks>
/// https://github.com/huggingface/safetensors#format. Nothing in the file is executed, and no allocation is
/// larger than the file's length justifies. To read one tensor at a time, open a
/// <see cref="CheckpointReader"/>.
/// </remarks>
public static class SafetensorsFile
{
    private const long PartElements = 1 << 21;   // few enough to fit into a span

    /// <summary>Reads all tensors onto the CPU. The caller owns them.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is truncated, inconsistent or not in the safetensors format; the message says what is wrong and
    /// where.
    /// </exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var reader = CheckpointReader.Open(path);
        return reader.ReadAll();
    }

    /// <summary>
    /// Writes tensors to a temporary file and renames it, so that the path holds the old file or the whole new one.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="tensors">Any device; float, integer and bool dtypes.</param>
    /// <param name="metadata">Free text by key, stored in the header.</param>
    /// <exception cref="ArgumentException">A dtype is unknown to the format, or a name occurs twice.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        var named = tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var header = SafetensorsHeader.Format(named, metadata);
        AtomicWrite.To(path, temporary =>
        {
            using var stream = File.Create(temporary);
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in named) WriteData(stream, tensor);
            stream.Flush(flushToDisk: true);
        });
    }

    /// <summary>
    /// Writes tensors into a folder: <c>model.safetensors</c>, or several files and <c>model.safetensors.index.json</c>.
    /// </summary>
    /// <param name="folder">
    /// The folder; it is created if it does not exist. Files of an earlier safetensors checkpoint in it are
    /// removed.
    /// </param>
    /// <param name="tensors">Any device; float, integer and bool dtypes. Files are filled in this order.</param>
    /// <param name="maximumBytes">Maximum bytes of tensors in a file; a larger tensor gets its own file.</param>
    /// <param name="metadata">Free text by key, stored in the header.</param>
    /// <exception cref="ArgumentException">
    /// A dtype is unknown to the format, a name occurs twice, or <paramref name="maximumBytes"/> is less than 1.
    /// </exception>
    public static void WriteSharded(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, long maximumBytes,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumBytes, 1);
        Directory.CreateDirectory(folder);
        var shards = Split([.. tensors], maximumBytes);
        string Name(int shard) => shards.Count == 1 ? CheckpointFolder.Safetensors
            : $"model-{shard + 1:00000}-of-{shards.Count:00000}.safetensors";
        for (var shard = 0; shard < shards.Count; shard++) Write(Path.Combine(folder, Name(shard)), shards[shard], metadata);
        if (shards.Count > 1)
            ShardIndex.Write(Path.Combine(folder, CheckpointFolder.SafetensorsIndex),
                shards.SelectMany((shard, number) => shard.Select(pair => KeyValuePair.Create(pair.Key, Name(number)))),
                    shards.Sum(shard => shard.Sum(pair => Bytes(pair.Value))));
        CheckpointFolder.RemoveOther(folder, [.. Enumerable.Range(0, shards.Count).Select(Name)]);
    }

    private static List<List<KeyValuePair<string, Tensor>>> Split(List<KeyValuePair<string, Tensor>> tensors, long maximumBytes)
    {
        var shards = new List<List<KeyValuePair<string, Tensor>>> { new() };
        long used = 0;
        foreach (var pair in tensors)
        {
            if (shards[^1].Count > 0 && used + Bytes(pair.Value) > maximumBytes)
            {
                shards.Add([]);
                used = 0;
            }
            shards[^1].Add(pair);
            used += Bytes(pair.Value);
        }
        return shards;
    }

    private static long Bytes(Tensor tensor) => tensor.numel() * tensor.element_size();

    /// <summary>Writes the numbers of a tensor, row by row, a part at a time.</summary>
    internal static void WriteData(Stream stream, Tensor tensor)
    {
        if (tensor.numel() == 0) return;
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().flatten();
        for (long at = 0, length = flat.shape[0]; at < length; at += PartElements)
        {
            using var part = flat.narrow(0, at, Math.Min(PartElements, length - at));
            stream.Write(part.bytes);
        }
    }
}
