using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// How recordings become the inputs of a model: one channel, one sample rate, changes, then samples or log-mel features, padded
/// to the longest of a batch.
/// </summary>
/// <remarks>
/// The random changes of an example depend on the seed and on how often the loader had drawn before: neither the number of
/// workers nor a resume changes what is drawn. The last bits of log-mel features may differ, because MKL may take fewer threads
/// beside other workers; in a portable run it does not.
/// </remarks>
public sealed record AudioPipeline
{
    /// <summary>Name of the tensor with the number of samples or frames of each recording, int64 [batch].</summary>
    public const string LengthsName = "lengths";

    /// <summary>Samples per second; recordings of other rates are resampled.</summary>
    public int SampleRate { get; init; } = 16_000;

    /// <summary>Changes of the samples, for training.</summary>
    public IReadOnlyList<AudioChange> Changes { get; init; } = [];

    /// <summary>Computes log-mel features; null for the samples themselves.</summary>
    public MelFeatures? Features { get; init; }

    /// <summary>Masks of the features, for training; null for none.</summary>
    public SpecAugment? SpecAugment { get; init; }

    /// <summary>Seed of the random changes.</summary>
    public int Seed { get; init; } = 1337;

    /// <summary>Makes the input of one recording.</summary>
    /// <returns>Float32 [time] or [frames, bands].</returns>
    internal Tensor Input(AudioClip clip, long draw)
    {
        using var scope = NewDisposeScope();
        var rated = clip.Mono().Resampled(SampleRate);
        var (samples, random) = (rated.Samples[0].contiguous().data<float>().ToArray(), new RandomNumbers(Seed, draw));
        foreach (var change in Changes) samples = change(samples, random);
        if (Features is null) return tensor(samples).MoveToOuterDisposeScope();
        var features = Features.LogMel(tensor(samples));
        SpecAugment?.Apply(features, random);
        return features.MoveToOuterDisposeScope();
    }
}

/// <summary>Recordings with labels, through a pipeline.</summary>
internal sealed class AudioExamples(Func<long, AudioClip> clip, IReadOnlyList<long> labels, AudioPipeline pipeline) : IExamples
{
    public long Count => labels.Count;

    public Batch Fetch(IReadOnlyList<long> numbers) => Fetch(numbers, numbers);

    /// <returns>
    /// Inputs float32 [batch, time] or [batch, frames, bands], padded with 0; lengths and targets int64 [batch].
    /// </returns>
    public Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var inputs = new List<Tensor>();
        for (var at = 0; at < numbers.Count; at++)
        {
            using var one = clip(numbers[at]);
            inputs.Add(pipeline.Input(one, draws[at]));
        }
        return new Batch(new Dictionary<string, Tensor>
        {
            [Batch.InputsName] = nn.utils.rnn.pad_sequence(inputs, batch_first: true).MoveToOuterDisposeScope(),
            [AudioPipeline.LengthsName] = tensor(inputs.Select(input => input.shape[0]).ToArray()).MoveToOuterDisposeScope(),
            [Batch.TargetsName] = tensor(numbers.Select(number => labels[(int)number]).ToArray()).MoveToOuterDisposeScope(),
        });
    }
}
