using NLayer;
using NVorbis;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Reads WAV, MP3 and Ogg Vorbis files, told apart by their content.</summary>
public static class AudioFile
{
    /// <summary>The ends of the names of audio files.</summary>
    internal static readonly string[] Endings = [".wav", ".wave", ".mp3", ".ogg", ".oga"];

    /// <exception cref="InvalidDataException">The file is no such sound, or damaged; the message names it.</exception>
    public static AudioClip Read(string path) => Parse(File.ReadAllBytes(path), path);

    /// <param name="bytes">Content of the file.</param>
    /// <param name="name">Name of the file, for messages.</param>
    /// <exception cref="InvalidDataException">The file is no such sound, or damaged; the message names it.</exception>
    public static AudioClip Parse(byte[] bytes, string name = "the audio file")
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.AsSpan().StartsWith("RIFF"u8)) return WavFile.Parse(bytes, name);
        if (bytes.AsSpan().StartsWith("fLaC"u8))
            throw new InvalidDataException($"{name} is a FLAC file, which is not read; convert it to WAV, MP3 or Ogg Vorbis.");
        try
        {
            return bytes.AsSpan().StartsWith("OggS"u8) ? Vorbis(bytes) : Mpeg(bytes);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidDataException($"{name} is no WAV, MP3 or Ogg Vorbis file, or it is damaged: {error.Message}", error);
        }
    }

    private static AudioClip Vorbis(byte[] bytes)
    {
        using var reader = new VorbisReader(new MemoryStream(bytes), closeOnDispose: true) { ClipSamples = false };
        return Clip(reader.ReadSamples, reader.Channels, () => reader.SampleRate);
    }

    private static AudioClip Mpeg(byte[] bytes)
    {
        using var reader = new MpegFile(new MemoryStream(bytes));
        return Clip((buffer, offset, count) => reader.ReadSamples(buffer, offset, count), reader.Channels,
            () => reader.SampleRate);
    }

    private static AudioClip Clip(Func<float[], int, int, int> read, int channels, Func<int> rate)
    {
        var (samples, buffer) = (new List<float>(), new float[channels * 4096]);
        for (int count; (count = read(buffer, 0, buffer.Length)) > 0;) samples.AddRange(buffer.AsSpan(0, count));
        if (channels < 1 || samples.Count < channels)
            throw new InvalidDataException("It holds no sound.");
        var frames = samples.Count / channels;
        using var interleaved = tensor(samples.GetRange(0, frames * channels).ToArray(), [frames, channels]);
        using var turned = interleaved.t();
        return new AudioClip(turned.contiguous().clone(), rate());
    }
}
