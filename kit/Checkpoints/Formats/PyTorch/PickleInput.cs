using System.Text;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>Sequential reader of a pickle's bytes that never reads past their end.</summary>
internal sealed class PickleInput(CheckpointFile part, long start, long end)
{
    private readonly byte[] buffer = new byte[(int)Math.Min(1 << 14, Math.Max(0, end - start))];
    private long bufferStart = start, bufferEnd = start;

    /// <summary>File offset of the next byte.</summary>
    public long Position { get; private set; } = start;

    public byte Byte()
    {
        Span<byte> one = stackalloc byte[1];
        Take(one, "a byte");
        return one[0];
    }

    public void Take(Span<byte> bytes, string what)
    {
        if (bytes.Length > end - Position) throw Bad($"{what} of {bytes.Length} bytes is announced and {end - Position} follow");
        while (bytes.Length > 0)
        {
            if (Position >= bufferEnd) Refill();
            var count = (int)Math.Min(bytes.Length, bufferEnd - Position);
            buffer.AsSpan((int)(Position - bufferStart), count).CopyTo(bytes);
            Position += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>
    /// Reads a string of the given length in bytes. A length beyond the remaining bytes is an error before anything
    /// is allocated.
    /// </summary>
    public string Text(ulong length, Encoding encoding)
    {
        Announce("a text", length);
        var bytes = new byte[length];
        Take(bytes, "a text");
        try
        {
            return encoding.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Bad("a text is not UTF-8");
        }
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(ulong length)
    {
        Announce("a value", length);
        Position += (long)length;
        if (Position > bufferEnd) bufferStart = bufferEnd = Position;
    }

    /// <summary>Reads ASCII text up to the end of the line.</summary>
    public string Line(int longest = 256)
    {
        var text = new StringBuilder();
        for (var next = Byte(); next != (byte)'\n'; next = Byte())
            if (text.Append((char)next).Length > longest) throw Bad($"a name is longer than {longest} bytes");
        return text.ToString();
    }

    /// <summary>Makes the exception that says what is wrong and at which byte.</summary>
    public InvalidDataException Bad(string why, long? at = null) =>
        new($"{part.Path} is not a state dict: at byte {at ?? Position}, {why}.");

    private void Announce(string what, ulong length)
    {
        if (length > (ulong)(end - Position)) throw Bad($"{what} of {length} bytes is announced and {end - Position} follow");
    }

    private void Refill()
    {
        bufferStart = Position;
        bufferEnd = Math.Min(end, Position + buffer.Length);
        part.Read(Position, buffer.AsSpan(0, (int)(bufferEnd - bufferStart)));
    }
}
