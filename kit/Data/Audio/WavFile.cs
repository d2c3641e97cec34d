using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Reads and writes WAV files (RIFF WAVE). Reads PCM of 8, 16, 24 and 32 bits, floating point of 32 and 64 bits, µ-law
/// and A-law, at any rate, with any number of channels.
/// </summary>
/// <remarks>
/// A data chunk whose size was not known when its header was written is read to the end of the file: a size of 2 GB or more, as
/// streams and recorders write it, or of 0 where samples follow. µ-law and A-law are those of ITU-T G.711.
/// </remarks>
public static class WavFile
{
    private const ushort Pcm = 1, Float = 3, ALaw = 6, MuLaw = 7, Extensible = 0xFFFE;
    private const uint Unknown = 0x7FFF0000;   // from this size on
    private static ReadOnlySpan<byte> ExtensibleTail =>
        [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    /// <exception cref="InvalidDataException">
    /// The file is malformed or compressed; the message says what and where.
    /// </exception>
    public static AudioClip Read(string path) => Parse(File.ReadAllBytes(path), path);

    /// <param name="bytes">Content of the file.</param>
    /// <param name="name">Name of the file, for error messages.</param>
    /// <exception cref="InvalidDataException">
    /// The file is malformed or compressed; the message says what and where.
    /// </exception>
    public static AudioClip Parse(ReadOnlySpan<byte> bytes, string name = "the WAV file")
    {
        if (bytes.Length < 12 || !bytes[..4].SequenceEqual("RIFF"u8) || !bytes[8..12].SequenceEqual("WAVE"u8))
            throw new InvalidDataException($"{name} is not a WAV file: it does not begin with RIFF, a size and WAVE.");
        Format? format = null;
        for (var at = 12; bytes.Length - at >= 8;)
        {
            var id = bytes.Slice(at, 4);
            var (size, start) = (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]), at + 8);
            var isData = id.SequenceEqual("data"u8);
            var toTheEnd = isData && (size >= Unknown || (size == 0 && !BeginsChunk(bytes[start..])));
            if (toTheEnd) size = (uint)(bytes.Length - start);
            if (size > bytes.Length - start)
                throw new InvalidDataException($"{name} has a chunk '{Encoding.Latin1.GetString(id)}' of {size} bytes at byte "
                    + $"{at}; only {bytes.Length - start} are left.");
            var chunk = bytes.Slice(start, (int)size);
            if (id.SequenceEqual("fmt "u8)) format = ReadFormat(chunk, at, name);
            else if (isData)
            {
                var known = format
                    ?? throw new InvalidDataException($"{name} has its data at byte {at} before any format chunk.");
                return ReadData(toTheEnd ? chunk[..^(chunk.Length % known.Frame)] : chunk, known, at, name);
            }
            at = start + (int)size + ((int)size & 1);
        }
        throw new InvalidDataException($"{name} has no data chunk; expected one after the format chunk.");
    }

    /// <summary>
    /// Whether another chunk follows, so that a data chunk of size 0 really is empty; nothing that follows is none.
    /// </summary>
    private static bool BeginsChunk(ReadOnlySpan<byte> rest) => rest.IsEmpty
        || (rest.Length >= 8 && !rest[..4].ContainsAnyExceptInRange((byte)' ', (byte)'~')
            && BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) <= rest.Length - 8);

    /// <summary>
    /// Returns the content of a WAV file: 16-bit PCM, or 32-bit floating point, which is lossless.
    /// </summary>
    public static byte[] Write(AudioClip clip, bool asFloat = false)
    {
        var (channels, width) = ((int)clip.Samples.shape[0], asFloat ? 4 : 2);
        using var frames = clip.Samples.detach().to(ScalarType.Float32).t().contiguous();
        var samples = frames.numel() == 0 ? [] : frames.data<float>().ToArray();
        var bytes = new byte[44 + (samples.Length * width)];
        "RIFF    WAVEfmt "u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(20), asFloat ? Float : Pcm);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(22), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), clip.SampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), clip.SampleRate * channels * width);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(32), (ushort)(channels * width));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(34), (ushort)(8 * width));
        "data"u8.CopyTo(bytes.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), samples.Length * width);
        for (var at = 0; at < samples.Length; at++)
        {
            var place = bytes.AsSpan(44 + (at * width));
            if (asFloat) BinaryPrimitives.WriteSingleLittleEndian(place, samples[at]);
            else BinaryPrimitives.WriteInt16LittleEndian(place,
                (short)Math.Clamp(Math.Round(samples[at] * 32768.0), short.MinValue, short.MaxValue));
        }
        return bytes;
    }

    private static Format ReadFormat(ReadOnlySpan<byte> chunk, int at, string name)
    {
        if (chunk.Length < 16)
            throw new InvalidDataException($"{name} has a format chunk of {chunk.Length} bytes at byte {at}; "
                + "expected at least 16.");
        var code = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        if (code == Extensible)
        {
            if (chunk.Length < 40 || !chunk[26..40].SequenceEqual(ExtensibleTail))
                throw new InvalidDataException($"{name} has an extensible format at byte {at} with {chunk.Length} bytes or an "
                    + "unknown subformat; expected 40 bytes and PCM or floating point.");
            code = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
        }
        var (channels, rate) =
            (BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]), BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]));
        var (block, bits) = (BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]),
            BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]));
        if (channels == 0 || rate is 0 or > int.MaxValue)
            throw new InvalidDataException($"{name} declares {channels} channels at {rate} Hz at byte {at}; "
                + "expected at least 1 of each.");
        if (!(code == Pcm && bits is 8 or 16 or 24 or 32 || code == Float && bits is 32 or 64 || code is ALaw or MuLaw
            && bits == 8))
            throw new InvalidDataException($"{name} has the format {code} of {bits} bits at byte {at}; expected PCM (1) of 8, "
                + "16, 24 or 32, floating point (3) of 32 or 64, or A-law (6) or µ-law (7) of 8.");
        if (block != channels * bits / 8)
            throw new InvalidDataException($"{name} declares {block} bytes for {channels} channels of {bits} bits at byte "
                + $"{at}; expected {channels * bits / 8}.");
        return new Format(code, channels, (int)rate, bits);
    }

    private static AudioClip ReadData(ReadOnlySpan<byte> data, Format format, int at, string name)
    {
        var width = format.Bits / 8;
        if (data.Length % format.Frame != 0)
            throw new InvalidDataException($"{name} has {data.Length} bytes of data at byte {at}; expected a multiple of "
                + $"{format.Frame} ({format.Channels} channels of {format.Bits} bits).");
        var samples = new float[data.Length / width];
        for (var number = 0; number < samples.Length; number++) samples[number] = Sample(data[(number * width)..], format);
        using var frames = tensor(samples, [samples.Length / format.Channels, format.Channels]);
        using var turned = frames.t();
        return new AudioClip(turned.contiguous().clone(), format.Rate);
    }

    private static float Sample(ReadOnlySpan<byte> bytes, Format format) => (format.Code, format.Bits) switch
    {
        (Pcm, 8) => (bytes[0] - 128) / 128f,
        (Pcm, 16) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32768f,
        (Pcm, 24) => ((bytes[0] << 8) | (bytes[1] << 16) | (bytes[2] << 24)) / 2147483648f,
        (Pcm, _) => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2147483648f,
        (ALaw, _) => OfALaw(bytes[0]) / 32768f,
        (MuLaw, _) => OfMuLaw(bytes[0]) / 32768f,
        (_, 32) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
    };

    /// <summary>Three bits of exponent and four of mantissa, all inverted.</summary>
    private static int OfMuLaw(byte code)
    {
        var bits = (byte)~code;
        var size = ((((bits & 0x0F) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
        return (bits & 0x80) != 0 ? -size : size;
    }

    /// <summary>The same with every second bit inverted, and a linear lowest segment.</summary>
    private static int OfALaw(byte code)
    {
        var bits = code ^ 0x55;
        var (mantissa, segment) = ((bits & 0x0F) << 4, (bits & 0x70) >> 4);
        var size = segment == 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
        return (bits & 0x80) != 0 ? size : -size;
    }

    private readonly record struct Format(ushort Code, int Channels, int Rate, int Bits)
    {
        /// <summary>Bytes of one sample of all channels.</summary>
        public int Frame => Channels * Bits / 8;
    }
}
