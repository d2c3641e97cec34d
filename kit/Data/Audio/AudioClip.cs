using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>An audio recording.</summary>
/// <param name="Samples">Float32 [channels, time], from -1 to 1.</param>
/// <param name="SampleRate">Samples per second of each channel.</param>
public sealed record AudioClip(Tensor Samples, int SampleRate) : IDisposable
{
    /// <summary>Duration in seconds.</summary>
    public double Seconds => (double)Samples.shape[1] / SampleRate;

    /// <summary>Returns a new clip with the mean of the channels.</summary>
    /// <returns>Samples [1, time].</returns>
    public AudioClip Mono() => this with { Samples = Samples.mean([0], keepdim: true) };

    /// <summary>
    /// Returns a new clip at another sample rate; frequencies above the new Nyquist frequency are filtered out.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is below 1.</exception>
    public AudioClip Resampled(int sampleRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        if (sampleRate == SampleRate) return this with { Samples = Samples.clone() };
        var resampler = new Resampler(SampleRate, sampleRate);
        using var scope = NewDisposeScope();
        var channels = Enumerable.Range(0, (int)Samples.shape[0])
            .Select(channel => tensor(resampler.Run(Samples[channel].data<float>().ToArray()))).ToList();
        return new AudioClip(stack(channels).MoveToOuterDisposeScope(), sampleRate);
    }

    /// <inheritdoc/>
    public void Dispose() => Samples.Dispose();

    /// <inheritdoc/>
    public override string ToString() => $"{Seconds:f2} s of sound {Samples.ShapeText()} at {SampleRate} Hz";
}
