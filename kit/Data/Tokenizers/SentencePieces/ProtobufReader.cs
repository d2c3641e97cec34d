using System.Buffers.Binary;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// Iterates over the fields of a protocol-buffers message (https://protobuf.dev/programming-guides/encoding).
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes, string name)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private readonly string name = name;
    private int at;
    private int wire;

    /// <summary>Number of the field that <see cref="Next"/> has read.</summary>
    public int Field { get; private set; }

    public bool Next()
    {
        if (at == bytes.Length) return false;
        var key = Varint();
        Field = (int)(key >> 3);
        wire = (int)(key & 7);
        return key >> 3 is > 0 and < 1 << 29 ? true : throw Malformed($"the field number {key >> 3}");
    }

    public long Number() => wire == 0 ? (long)Varint() : throw Malformed($"wire type {wire} for the number of field {Field}");

    public float Float() => wire == 5 ? BinaryPrimitives.ReadSingleLittleEndian(Take(4))
        : throw Malformed($"wire type {wire} for the float of field {Field}");

    public ReadOnlySpan<byte> Bytes()
    {
        if (wire != 2) throw Malformed($"wire type {wire} for the bytes of field {Field}");
        return Take(Varint());
    }

    public void Skip()
    {
        switch (wire)
        {
            case 0: Varint(); break;
            case 1: Take(8); break;
            case 2: Take(Varint()); break;
            case 5: Take(4); break;
            default: throw Malformed($"wire type {wire}");
        }
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(bytes.Length - at)) throw Malformed($"{length} bytes where {bytes.Length - at} are left");
        var taken = bytes.Slice(at, (int)length);
        at += (int)length;
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at == bytes.Length) throw Malformed("an end inside a number");
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw Malformed("a number of more than ten bytes");
    }

    private readonly InvalidDataException Malformed(string what) =>
        new($"{name} is no SentencePiece model: {what} at byte {at}.");
}
