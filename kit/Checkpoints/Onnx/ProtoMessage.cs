using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ResearchKit.Checkpoints;

/// <summary>Bytes of a protocol-buffer message, field by field.</summary>
/// <remarks>https://protobuf.dev/programming-guides/encoding.</remarks>
internal sealed class ProtoMessage
{
    private const int Varint = 0, Delimited = 2, Fixed32 = 5;
    private readonly ArrayBufferWriter<byte> bytes = new();

    /// <summary>Number of bytes.</summary>
    public long Length => bytes.WrittenCount;

    public void CopyTo(Stream stream) => stream.Write(bytes.WrittenSpan);

    public ProtoMessage Number(int field, long value)
    {
        Tag(field, Varint);
        Write((ulong)value);
        return this;
    }

    public ProtoMessage Number(int field, float value)
    {
        Tag(field, Fixed32);
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(four, value);
        bytes.Write(four);
        return this;
    }

    public ProtoMessage Text(int field, string text)
    {
        var encoded = Encoding.UTF8.GetBytes(text);
        Begin(field, encoded.Length);
        bytes.Write(encoded);
        return this;
    }

    public ProtoMessage Add(int field, ProtoMessage message)
    {
        Begin(field, message.Length);
        bytes.Write(message.bytes.WrittenSpan);
        return this;
    }

    /// <summary>The start of a field of this many bytes, which the caller writes after it.</summary>
    public ProtoMessage Begin(int field, long length)
    {
        Tag(field, Delimited);
        Write((ulong)length);
        return this;
    }

    private void Tag(int field, int kind) => Write(((ulong)field << 3) | (uint)kind);

    private void Write(ulong value)
    {
        Span<byte> most = stackalloc byte[10];
        var length = 0;
        for (; value >= 128; value >>= 7) most[length++] = (byte)(value | 128);
        most[length++] = (byte)value;
        bytes.Write(most[..length]);
    }
}
