using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class AudioFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Written(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    private static float[] Tone(int samples, double hertz = 440, int rate = 16_000) =>
        [.. Enumerable.Range(0, samples).Select(at => (float)(0.5 * Math.Sin(2 * Math.PI * hertz * at / rate)))];

    private static byte[] Wav(int samples, int rate = 16_000)
    {
        using var clip = new AudioClip(tensor(Tone(samples, rate: rate)).unsqueeze(0), rate);
        return WavFile.Write(clip);
    }

    /// <summary>Frames of MPEG-1 layer III, 128 kbit/s, 44,100 Hz, one channel, that hold nothing: silence.</summary>
    private static byte[] SilentMp3(int frames) =>
        [.. Enumerable.Range(0, frames).SelectMany(_ => (byte[])[0xFF, 0xFB, 0x90, 0xC4, .. new byte[413]])];

    [Fact]
    public void Recordings_of_several_rates_become_padded_batches_with_lengths()
    {
        Written("high/a.wav", Wav(1600));
        Written("low/b.wav", Wav(800, rate: 8000));
        Written("low/c.WAV", Wav(3200));
        var recordings = AudioFolder.Open(folder);
        Assert.Equal("3 recordings: 1 high, 2 low", recordings.ToString());
        using var batch = recordings.Examples(new AudioPipeline()).Fetch([0, 1, 2]);
        Assert.Equal([3L, 3200], batch.Inputs.shape);
        Assert.Equal([1600L, 1600, 3200], batch["lengths"].data<long>().ToArray());
        Assert.Equal([0L, 1, 1], batch.Targets.data<long>().ToArray());
        Assert.Equal(0, batch.Inputs[0, 1600..].abs().max().item<float>());
        using var features = new MelFeatures();
        using var spectra = recordings.Examples(new AudioPipeline { Features = features }).Fetch([0]);
        Assert.Equal([1L, 11, 80], spectra.Inputs.shape);
    }

    [Fact]
    public void Mp3_is_read_and_other_files_are_refused_in_words()
    {
        using var clip = AudioFile.Parse(SilentMp3(4));
        Assert.Equal(44_100, clip.SampleRate);
        Assert.Equal(1, clip.Samples.shape[0]);
        Assert.InRange(clip.Samples.shape[1], 2 * 1152, 4 * 1152);
        Assert.Equal(0, clip.Samples.abs().max().item<float>());
        foreach (var (content, said) in new[] { ("fLaC\0\0\0\"", "FLAC"), ("no sound at all", "no WAV, MP3 or Ogg"),
            ("OggS but cut", "no WAV, MP3 or Ogg"),
            ("", "no WAV, MP3 or Ogg") })
            Assert.Contains(said, Assert.Throws<InvalidDataException>(() =>
                AudioFile.Parse(System.Text.Encoding.ASCII.GetBytes(content), "x.ogg")).Message, StringComparison.Ordinal);
        Written("a/good.wav", Wav(100));
        Written("a/bad.mp3", [1, 2, 3]);
        Assert.Equal("1 recordings: 1 a; 1 left out, which cannot be read", AudioFolder.Open(folder,
            BrokenFiles.Skip).ToString());
    }

    /// <summary>A file that Debian's MathJax brings, where it is installed.</summary>
    [SkippableFact]
    public void Ogg_vorbis_is_read()
    {
        const string Installed = "/usr/share/javascript/mathjax/unpacked/extensions/a11y/invalid_keypress.ogg";
        Skip.IfNot(File.Exists(Installed), "There is no Ogg Vorbis file on this machine.");
        using var clip = AudioFile.Read(Installed);
        Assert.InRange(clip.Seconds, 0.05, 10);
        Assert.InRange(clip.Samples.abs().max().item<float>(), 0.01f, 1.2f);
    }

    [Fact]
    public void Noise_has_the_ratio_that_was_asked_for_and_speed_changes_the_length()
    {
        var tone = Tone(20_000);
        var noisy = AudioChanges.Noise(20, 20)(tone, new RandomNumbers(1));
        var noise = noisy.Zip(tone, (one, other) => (double)one - other).Average(value => value * value);
        Assert.InRange(10 * Math.Log10(tone.Average(value => (double)value * value) / noise), 19.7, 20.3);   // deviation 0.04 dB
        Assert.InRange(AudioChanges.Speed(1.25, 1.25)(tone, new RandomNumbers(1)).Length, 15_999, 16_001);
        Assert.Equal(tone.Max() * 10, AudioChanges.Gain(20, 20)(tone, new RandomNumbers(1)).Max(), 4);
        Assert.Throws<ArgumentException>(() => AudioChanges.Noise(5, 1));
    }

    [Fact]
    public void SpecAugment_masks_at_most_as_much_as_its_settings_say()
    {
        var settings = new SpecAugment { BandMasks = 1, MostBands = 5, FrameMasks = 1, MostFrames = 50, MostOfFrames = 0.1 };
        var widths = new List<(long Bands, long Frames)>();
        for (var draw = 0; draw < 40; draw++)
        {
            using var scope = NewDisposeScope();
            var features = arange(100 * 20, float32).reshape(100, 20);
            var before = features.clone();
            settings.Apply(features, new RandomNumbers(1, draw));
            var changed = features.ne(before);
            widths.Add((changed.all(0).sum().item<long>(), changed.all(1).sum().item<long>()));
            Assert.True(features[changed].eq(before.mean()).all().item<bool>());
        }
        Assert.All(widths, width => Assert.True(width.Bands <= 5 && width.Frames <= 10));
        Assert.Contains(widths, width => width.Bands > 0 && width.Frames > 0);
    }

    [Fact]
    public void A_loader_gives_the_same_recordings_whatever_the_workers_and_leaves_no_tensor_behind()
    {
        for (var at = 0; at < 6; at++) Written($"{at % 2}/{at}.wav", Wav(400 + (100 * at)));
        using var features = new MelFeatures();
        var pipeline = new AudioPipeline
        {
            Features = features,
            Changes = [AudioChanges.Speed(), AudioChanges.Noise()],
            SpecAugment = new()
        };
        var recordings = AudioFolder.Open(folder);
        List<float> Inputs(int workers)
        {
            var values = new List<float>();
            foreach (var batch in new BatchLoader(recordings.Examples(pipeline), 2, workers: workers).Batches().Take(6))
                using (batch) values.AddRange(batch.Inputs.data<float>().ToArray());
            return values;
        }
        var alone = Inputs(1);
        var before = LiveTensors.Settled();
        // the draws are the same; MKL takes fewer threads beside other workers, which changes last bits of the log-mel product
        Assert.All(alone.Zip(Inputs(3)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(before, Tensor.TotalCount);
    }
}
