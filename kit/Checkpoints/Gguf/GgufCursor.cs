using System.Buffers.Binary;
using System.Text;

namespace ResearchKit.Checkpoints;

/// <summary>Reads the header of a GGUF file; no allocation is larger than what is left of the file.</summary>
/// <param name="stream">The file, from its start.</param>
internal sealed class GgufCursor(Stream stream)
{
    private const int DeepestArray = 4;
    private readonly byte[] buffer = new byte[8];

    /// <summary>Bytes that are left.</summary>
    private long Left => stream.Length - stream.Position;

    public long Position => stream.Position;

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    /// <summary>A count of things of which each takes at least some bytes.</summary>
    public int Count(string of, int leastBytes)
    {
        var count = UInt64();
        return count <= (ulong)(Left / leastBytes) && count <= int.MaxValue ? (int)count
            : throw new InvalidDataException($"it is said to have {count} {of}, and {Left} bytes are left");
    }

    public string Text()
    {
        var bytes = new byte[Count("bytes of text", 1)];
        stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>A value of a type that is named by its number.</summary>
    public object Value(uint type, int depth = 0) => type switch
    {
        0 => (long)Bytes(1)[0],
        1 => (long)(sbyte)Bytes(1)[0],
        2 => (long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)),
        3 => (long)BinaryPrimitives.ReadInt16LittleEndian(Bytes(2)),
        4 => (long)UInt32(),
        5 => (long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)),
        6 => (double)BinaryPrimitives.ReadSingleLittleEndian(Bytes(4)),
        7 => Bytes(1)[0] != 0,
        8 => Text(),
        9 when depth < DeepestArray => Array(depth),
        10 => UInt64() is var number && number <= long.MaxValue ? (long)number
            : throw new InvalidDataException($"a number is {number}, which is larger than any count"),
        11 => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8)),
        12 => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(8)),
        _ => throw new InvalidDataException($"a value has type {type}; known are 0 to 12, and arrays {DeepestArray} deep"),
    };

    private object[] Array(int depth)
    {
        var type = UInt32();
        var values = new object[Count("values", 1)];
        for (var i = 0; i < values.Length; i++) values[i] = Value(type, depth + 1);
        return values;
    }

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (Left < count) throw new InvalidDataException($"it ends at byte {stream.Length}, in the header");
        stream.ReadExactly(buffer, 0, count);
        return buffer.AsSpan(0, count);
    }
}
