using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class AudioFeatureTests
{
    public static TheoryData<MelOptions> Settings => [
        new() { SampleRate = 8000, TransformLength = 64, WindowLength = 50, HopLength = 20, Bands = 8 },
        new() { SampleRate = 8000, TransformLength = 63, WindowLength = 63, HopLength = 30, Bands = 6, Scale = MelScale.Slaney,
            LowestFrequency = 100, HighestFrequency = 3500 },
    ];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Features_equal_their_formulas(MelOptions options)
    {
        var samples = Enumerable.Range(0, 200).Select(at => (float)(Math.Sin(0.3 * at) + 0.2 * Math.Cos(1.7 * at * at)))
            .ToArray();
        using var features = new MelFeatures(options);
        using var sound = tensor(samples);
        using var power = features.Power(sound);
        using var logarithm = features.LogMel(sound);
        using var cepstrum = features.Mfcc(sound, 5);
        Assert.Equal([features.Frames(200), options.Bands], power.shape);
        for (var frame = 0; frame < power.shape[0]; frame++)
        {
            var bands = Bands(samples, frame, options);
            for (var band = 0; band < options.Bands; band++)
            {
                Assert.Equal(bands[band], power[frame, band].item<float>(), 1e-4 * (1e-3 + bands.Max()));
                Assert.Equal(Math.Log(Math.Max(bands[band], options.Floor)), logarithm[frame, band].item<float>(), 2e-3);
            }
            for (var k = 0; k < 5; k++)
            {
                var sum = 0.0;
                for (var n = 0; n < options.Bands; n++)
                    sum += Math.Log(Math.Max(bands[n], options.Floor)) * Math.Cos(Math.PI / options.Bands * (n + 0.5) * k);
                sum *= k == 0 ? Math.Sqrt(1.0 / options.Bands) : Math.Sqrt(2.0 / options.Bands);
                Assert.Equal(sum, cepstrum[frame, k].item<float>(), 5e-3);
            }
        }
    }

    [Fact]
    public void A_batch_equals_its_rows_and_leaks_no_tensor()
    {
        using var features = new MelFeatures(MelOptions.At8kHz);
        using var sounds = rand(3, 1000);
        var before = LiveTensors.Count;
        using (var all = features.Mfcc(sounds))
        using (var second = features.Mfcc(sounds[1]))
        using (var row = all[1])
        {
            Assert.Equal([3, features.Frames(1000), 13], all.shape);
            Assert.True(allclose(row, second, atol: 1e-4));
        }
        GC.KeepAlive(features);
        Assert.InRange(LiveTensors.Count, before, before + 1);   // sounds[1] itself
    }

    [Theory]
    [InlineData(MelScale.Htk)]
    [InlineData(MelScale.Slaney)]
    public void Mel_scales_have_their_published_values_and_are_invertible(MelScale scale)
    {
        Assert.Equal(scale == MelScale.Htk ? 999.9855 : 15, MelFeatures.ToMel(1000, scale), 1e-3);
        foreach (var hertz in new[] { 0.0, 20, 440, 999, 1000, 1001, 4000, 11025 })
            Assert.Equal(hertz, MelFeatures.ToHertz(MelFeatures.ToMel(hertz, scale), scale), 1e-8);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Contains("600", Assert.Throws<ArgumentException>(() => new MelFeatures(new() { WindowLength = 600 })).Message,
            StringComparison.Ordinal);
        Assert.Contains("9000",
            Assert.Throws<ArgumentException>(() => new MelFeatures(new() { HighestFrequency = 9000 })).Message,
            StringComparison.Ordinal);
        using var features = new MelFeatures();
        using var three = zeros(1, 1, 5);
        Assert.Contains("[1, 1, 5]", Assert.Throws<ArgumentException>(() => features.LogMel(three)).Message,
            StringComparison.Ordinal);
        Assert.Contains("81", Assert.Throws<ArgumentException>(() => features.Mfcc(three, 81)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8000, 16000)]
    [InlineData(44100, 16000)]
    [InlineData(16000, 44100)]
    [InlineData(48000, 8000)]
    [InlineData(8000, 11025)]
    [InlineData(22051, 16000)]
    public void Resampling_preserves_a_tone(int from, int to)
    {
        using var clip = Tone(1000, from, 0.1);
        using var other = clip.Resampled(to);
        Assert.Equal((clip.Samples.shape[1] * to + from - 1) / from, other.Samples.shape[1]);
        var got = other.Samples[0].data<float>().ToArray();
        var edge = (int)(0.02 * to);
        for (var at = edge; at < got.Length - edge; at++)
            Assert.Equal(Math.Sin(2 * Math.PI * 1000 * at / to), got[at], 2e-4);
    }

    [Fact]
    public void Resampling_does_not_alias_and_preserves_a_constant()
    {
        using var high = Tone(4200, 16000, 0.2);
        using var low = high.Resampled(8000);
        Assert.True(low.Samples[0, 200..^200].abs().max().item<float>() < 2e-4);   // not an alias at 3,800 Hz

        using var constant = new AudioClip(ones(1, 4000), 44100);
        using var still = constant.Resampled(16000);
        Assert.True((still.Samples[0, 200..^200] - 1).abs().max().item<float>() < 1e-6);
        using var same = constant.Resampled(44100);
        Assert.True(same.Samples.equal(constant.Samples).all().item<bool>());
    }

    private static AudioClip Tone(double hertz, int rate, double seconds)
    {
        var samples = Enumerable.Range(0, (int)(seconds * rate)).Select(at => (float)Math.Sin(2 * Math.PI * hertz * at / rate))
            .ToArray();
        return new AudioClip(tensor(samples, [1, samples.Length]), rate);
    }

    /// <summary>The formulas, one loop each, in double precision.</summary>
    private static double[] Bands(float[] samples, int frame, MelOptions options)
    {
        var (length, before) = (options.TransformLength, (options.TransformLength - options.WindowLength) / 2);
        var power = new double[(length / 2) + 1];
        for (var bin = 0; bin < power.Length; bin++)
        {
            var (real, imaginary) = (0.0, 0.0);
            for (var n = 0; n < length; n++)
            {
                var at = (frame * options.HopLength) + n - (length / 2);
                if (at < 0 || at >= samples.Length || n < before || n >= before + options.WindowLength) continue;
                var value = samples[at] * (0.5 - (0.5 * Math.Cos(2 * Math.PI * (n - before) / options.WindowLength)));
                real += value * Math.Cos(2 * Math.PI * bin * n / length);
                imaginary -= value * Math.Sin(2 * Math.PI * bin * n / length);
            }
            power[bin] = (real * real) + (imaginary * imaginary);
        }
        var low = MelFeatures.ToMel(options.LowestFrequency, options.Scale);
        var high = MelFeatures.ToMel(options.HighestFrequency ?? options.SampleRate / 2.0, options.Scale);
        var bands = new double[options.Bands];
        for (var band = 0; band < bands.Length; band++)
        {
            double Edge(int edge) => MelFeatures.ToHertz(low + ((high - low) * edge / (options.Bands + 1)), options.Scale);
            var (left, middle, right) = (Edge(band), Edge(band + 1), Edge(band + 2));
            for (var bin = 0; bin < power.Length; bin++)
            {
                var hertz = (double)bin * options.SampleRate / length;
                var height = hertz <= left || hertz >= right
                    ? 0 : hertz <= middle ? (hertz - left) / (middle - left) : (right - hertz) / (right - middle);
                bands[band] += power[bin] * height * (options.Scale == MelScale.Slaney ? 2 / (right - left) : 1);
            }
        }
        return bands;
    }
}
