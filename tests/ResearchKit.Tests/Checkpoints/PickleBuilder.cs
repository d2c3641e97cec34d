using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Writes pickles by hand, good and bad ones, and the files that hold them.</summary>
internal sealed class PickleBuilder
{
    private readonly List<byte> bytes = [];

    public static PickleBuilder Start => new PickleBuilder().Op(0x80, 2);

    public byte[] Stop() => Op('.').bytes.ToArray();

    public PickleBuilder Op(params int[] codes)
    {
        foreach (var code in codes) bytes.Add((byte)code);
        return this;
    }

    public PickleBuilder Raw(ReadOnlySpan<byte> raw)
    {
        bytes.AddRange(raw);
        return this;
    }

    public PickleBuilder Repeat(int count, params int[] codes)
    {
        for (var i = 0; i < count; i++) Op(codes);
        return this;
    }

    public PickleBuilder Global(string module, string name) => Op('c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleBuilder Text(string text) =>
        Op('X').Length((uint)Encoding.UTF8.GetByteCount(text)).Raw(Encoding.UTF8.GetBytes(text));

    public PickleBuilder Length(uint length)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(four, length);
        return Raw(four);
    }

    public PickleBuilder Number(long value)
    {
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(eight, value);
        return Op(0x8a, 8).Raw(eight);
    }

    public PickleBuilder Storage(string key, long count, string type = "FloatStorage") =>
        Op('(').Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Op('t', 'Q');

    /// <summary>A tensor of storage <paramref name="key"/>.</summary>
    public PickleBuilder Tensor(string key, long count, long[] shape, long[] strides, long offset = 0,
        string type = "FloatStorage") =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(key, count, type).Number(offset).Tuple(shape).Tuple(strides)
            .Op(0x89)
            .Global("collections", "OrderedDict").Op(')', 'R', 't', 'R');

    public PickleBuilder Tuple(long[] numbers)
    {
        Op('(');
        foreach (var number in numbers) Number(number);
        return Op('t');
    }

    /// <summary>A state dict of one tensor.</summary>
    public static byte[] StateDict(string key, long count, long[] shape, long[] strides, long offset = 0,
        string type = "FloatStorage") =>
        Start.Op('}').Text("w").Tensor(key, count, shape, strides, offset, type).Op('s').Stop();

    /// <summary>The zip that torch.save makes.</summary>
    public static byte[] Zip(byte[] pickle, params (string Key, byte[] Data)[] storages) =>
        ZipOf([("archive/data.pkl", pickle), .. storages.Select(storage => ($"archive/data/{storage.Key}", storage.Data)),
            ("archive/version", "3\n"u8.ToArray())]);

    public static byte[] ZipOf(IEnumerable<(string Name, byte[] Data)> entries,
        CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, data) in entries)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(data);
            }
        return stream.ToArray();
    }

    /// <summary>The older stream of torch.save.</summary>
    public static byte[] Stream(byte[] pickle, params (string Key, long Count, byte[] Data)[] storages)
    {
        var keys = Start.Op(']', '(');
        foreach (var (key, _, _) in storages) keys.Text(key);
        var stream = new PickleBuilder().Op(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.')
            .Raw(Start.Op('M', 0xe9, 3).Stop()).Raw(Start.Op('}').Text("little_endian").Op(0x88, 's').Stop()).Raw(pickle)
                .Raw(keys.Op('e').Stop());
        Span<byte> eight = stackalloc byte[8];
        foreach (var (_, count, data) in storages)
        {
            BinaryPrimitives.WriteInt64LittleEndian(eight, count);
            stream.Raw(eight).Raw(data);
        }
        return stream.bytes.ToArray();
    }
}
