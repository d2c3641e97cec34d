using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>Changes a recording, with random numbers of its own draw. It must not change the samples that it is given.</summary>
/// <param name="samples">Samples of one channel, from -1 to 1.</param>
/// <param name="random">The random numbers.</param>
public delegate float[] AudioChange(float[] samples, RandomNumbers random);

/// <summary>The usual changes of recordings, for an <see cref="AudioPipeline"/>. All of them are safe on any thread.</summary>
public static class AudioChanges
{
    /// <summary>Adds white noise at a signal-to-noise ratio.</summary>
    /// <param name="least">Smallest ratio in dB.</param>
    /// <param name="most">Largest ratio in dB.</param>
    /// <remarks>The ratio is that of the mean powers; silence stays silence.</remarks>
    public static AudioChange Noise(double least = 10, double most = 30)
    {
        Require.That(least <= most, least, nameof(least), $"at most the largest ratio, {most}");
        return (samples, random) =>
        {
            var power = samples.Length == 0 ? 0 : samples.Average(sample => (double)sample * sample);
            var deviation = Math.Sqrt(power / Math.Pow(10, random.Next(least, most) / 10));
            return [.. samples.Select(sample => (float)(sample + (deviation * random.Normal())))];
        };
    }

    /// <summary>Plays faster or slower; the pitch changes too. Ko et al., 2015 (speed perturbation).</summary>
    /// <param name="slowest">Smallest factor, such as 0.9.</param>
    /// <param name="fastest">Largest factor, such as 1.1.</param>
    /// <remarks>The factor is a multiple of 1 %. Frequencies that do not fit any more are filtered out.</remarks>
    public static AudioChange Speed(double slowest = 0.9, double fastest = 1.1)
    {
        Require.That(slowest is >= 0.1 and <= 10, slowest, nameof(slowest), "from 0.1 to 10");
        Require.That(fastest >= slowest && fastest <= 10, fastest, nameof(fastest), $"from {slowest} to 10");
        return (samples, random) =>
        {
            var percent = (int)Math.Round(100 * random.Next(slowest, fastest));
            return percent == 100 || samples.Length == 0 ? samples : new Resampler(percent, 100).Run(samples);
        };
    }

    /// <summary>Makes the recording louder or softer.</summary>
    /// <param name="least">Smallest gain in dB.</param>
    /// <param name="most">Largest gain in dB.</param>
    public static AudioChange Gain(double least = -6, double most = 6)
    {
        Require.That(least <= most, least, nameof(least), $"at most the largest gain, {most}");
        return (samples, random) =>
        {
            var factor = (float)Math.Pow(10, random.Next(least, most) / 20);
            return [.. samples.Select(sample => sample * factor)];
        };
    }
}
