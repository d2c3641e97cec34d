using System.Buffers.Binary;
using CsCheck;
using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class WavFileTests
{
    [Theory]
    [InlineData(1, 8, new byte[] { 0x00, 0x80, 0xC0 }, new[] { -1f, 0f, 0.5f })]
    [InlineData(1, 16, new byte[] { 0x00, 0x80, 0x00, 0x40, 0xFF, 0xFF }, new[] { -1f, 0.5f, -1f / 32768 })]
    [InlineData(1, 24, new byte[] { 0x00, 0x00, 0x80, 0x00, 0x00, 0x40, 0xFF, 0xFF, 0xFF }, new[] { -1f, 0.5f, -1f / 8388608 })]
    [InlineData(1, 32, new byte[] { 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x40 }, new[] { -1f, 0.5f })]
    [InlineData(3, 32, new byte[] { 0x00, 0x00, 0x80, 0x3E }, new[] { 0.25f })]
    [InlineData(7, 8, new byte[] { 0xFF, 0x00, 0x80, 0x7F }, new[] { 0f, -32124f / 32768, 32124f / 32768, 0f })]
    [InlineData(6, 8, new byte[] { 0xD5, 0x55, 0xAA }, new[] { 8f / 32768, -8f / 32768, 32256f / 32768 })]
    [InlineData(3, 64, new byte[] { 0, 0, 0, 0, 0, 0, 0xD0, 0xBF }, new[] { -0.25f })]
    public void Every_sample_format_is_read_from_plain_and_extensible_headers(int code, int bits, byte[] data, float[] expected)
    {
        foreach (var extensible in new[] { false, true })
        {
            using var clip = WavFile.Parse(File(code, bits, 1, 8000, data, extensible));
            Assert.Equal(expected, clip.Samples[0].data<float>().ToArray());
            Assert.Equal(8000, clip.SampleRate);
        }
    }

    [Fact]
    public void Channels_are_deinterleaved_and_other_chunks_are_skipped()
    {
        var file = File(1, 8, 2, 44_100, [128, 0, 192, 128], false);
        byte[] withList = [.. file[..36], .. "LIST"u8, 3, 0, 0, 0, 1, 2, 3, 0, .. file[36..]];
        using var clip = WavFile.Parse(withList);
        Assert.Equal([2, 2], clip.Samples.shape);
        Assert.Equal([0f, 0.5f], clip.Samples[0].data<float>().ToArray());
        Assert.Equal([-1f, 0f], clip.Samples[1].data<float>().ToArray());
        using var mono = clip.Mono();
        Assert.Equal([-0.5f, 0.25f], mono.Samples[0].data<float>().ToArray());
    }

    [Fact]
    public void A_clip_survives_writing_and_reading()
    {
        using var scope = NewDisposeScope();
        var clip = new AudioClip(rand(2, 100) * 2 - 1, 22_050);
        using var exact = WavFile.Parse(WavFile.Write(clip, asFloat: true));
        Assert.True(exact.Samples.equal(clip.Samples).all().item<bool>());
        using var rounded = WavFile.Parse(WavFile.Write(clip));
        Assert.True((rounded.Samples - clip.Samples).abs().max().item<float>() <= 0.5f / 32768 + 1e-7f);
        Assert.Equal(22_050, rounded.SampleRate);
    }

    [Fact]
    public void A_malformed_file_is_refused_with_the_reason()
    {
        var file = File(1, 16, 1, 8000, [1, 2, 3, 4], false);
        Refused(file[..8], "RIFF");
        Refused(file[..40], "no data chunk");
        Refused(file[..46], "only 2 are left");
        Refused(Changed(file, 20, 6), "format 6");
        Refused(Changed(file, 22, 0), "0 channels");
        Refused(Changed(file, 34, 12), "12 bits");
        Refused(Changed(file, 32, 3), "3 bytes");
        Refused(Changed(file, 40, 3), "multiple of 2");
        Refused(Changed(file, 43, 0x10), "only 4 are left");
        Refused(Changed(File(1, 16, 1, 8000, [1, 2], true), 50, 9), "extensible");
        Refused([.. file[..12], .. file[36..]], "before any format");
    }

    [Fact]
    public void A_damaged_file_is_read_or_refused()
    {
        var whole = File(1, 16, 2, 8000, [1, 2, 3, 4, 5, 6, 7, 8], true);
        Gen.Select(Gen.Int[0, whole.Length], Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[0, 4])
            .Sample((length, changes) =>
        {
            var file = whole[..length];
            foreach (var (at, value) in changes)
                if (at < length) file[at] = value;
            try
            {
                using var clip = WavFile.Parse(file);
                Assert.True(clip.Samples.numel() <= file.Length);
            }
            catch (InvalidDataException)
            {
            }
        });
    }

    [Fact]
    public void The_same_voice_prompts_are_read_in_English_and_Spanish()
    {
        using var test = AudioSet.VoicePrompts("test", "en", "es");
        Assert.Equal(62, test.Clips.Count);
        Assert.Equal(31, test.Labels.Count(label => label == 1));
        Assert.All(test.Clips, clip => Assert.Equal(8000, clip.SampleRate));
        var (samples, lengths) = test.Padded();
        using (samples)
        using (lengths)
        {
            Assert.Equal(lengths.max().item<long>(), samples.shape[1]);
            Assert.Equal(test.Clips[0].Samples.shape[1], lengths[0].item<long>());
        }
        Assert.Equal(test.Names.Where(name => name.StartsWith("en_", StringComparison.Ordinal)).Select(name => name[3..]),
            test.Names.Where(name => name.StartsWith("es_", StringComparison.Ordinal)).Select(name => name[3..]));
        Assert.Contains("ru", Assert.Throws<ArgumentException>(() => AudioSet.VoicePrompts(null, "de")).Message,
            StringComparison.Ordinal);
        Assert.Contains("train", Assert.Throws<ArgumentException>(() => AudioSet.VoicePrompts("dev")).Message,
            StringComparison.Ordinal);
    }

    private static byte[] File(int code, int bits, int channels, int rate, byte[] data, bool extensible)
    {
        var format = new byte[extensible ? 40 : 16];
        BinaryPrimitives.WriteUInt16LittleEndian(format, extensible ? (ushort)0xFFFE : (ushort)code);
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(2), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(format.AsSpan(4), rate);
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(12), (ushort)(channels * bits / 8));
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(14), (ushort)bits);
        if (extensible)
            new byte[] { (byte)code, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71 }.CopyTo(format, 24);
        return [.. "RIFF"u8, 0, 0, 0, 0, .. "WAVEfmt "u8, (byte)format.Length, 0, 0, 0, .. format, .. "data"u8, (byte)data.Length,
            0, 0, 0, .. data];
    }

    private static byte[] Changed(byte[] file, int at, byte value)
    {
        byte[] changed = [.. file];
        changed[at] = value;
        return changed;
    }

    private static void Refused(byte[] file, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => WavFile.Parse(file, "x.wav")).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(0xFFFFFFFF)]
    [InlineData(0x7FFFFFFF - 36)]
    [InlineData(0u)]
    public void Data_of_unknown_size_is_read_to_the_end(uint size)
    {
        using var clip = new AudioClip(tensor(new[] { 0.5f, -0.25f, 0.125f }).unsqueeze(0), 8000);
        byte[] bytes = [.. WavFile.Write(clip), 0x11];   // and half a sample
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(40), size);
        using var read = WavFile.Parse(bytes);
        Assert.Equal([0.5f, -0.25f, 0.125f], read.Samples.data<float>().ToArray());
    }

    [Fact]
    public void An_empty_data_chunk_before_another_chunk_is_read_as_empty()
    {
        using var clip = new AudioClip(zeros(1, 0), 8000);
        byte[] bytes = [.. WavFile.Write(clip), .. "LIST"u8, 2, 0, 0, 0, 7, 7];
        using var read = WavFile.Parse(bytes);
        Assert.Equal([1L, 0], read.Samples.shape);
    }
}
