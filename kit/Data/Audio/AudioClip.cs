using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>A recording.</summary>
/// <param name="Samples">Float32 [channels, time], from -1 to 1.</param>
/// <param name="SampleRate">Samples per second of each channel.</param>
public sealed record AudioClip(Tensor Samples, int SampleRate) : IDisposable
{
    /// <summary>How long it is, in seconds.</summary>
    public double Seconds => (double)Samples.shape[1] / SampleRate;

    /// <summary>The mean of the channels, as a clip of its own.</summary>
    /// <returns>Samples [1, time].</returns>
    public AudioClip Mono() => this with { Samples = Samples.mean([0], keepdim: true) };

    /// <summary>The same sound at another rate, as a clip of its own; what the new rate cannot hold is filtered away.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A rate below 1.</exception>
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
