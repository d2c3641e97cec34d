using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tasks;

/// <summary>What was said in a recording.</summary>
/// <param name="Text">The text.</param>
/// <param name="Seconds">Duration of the recording.</param>
/// <param name="LogProbability">
/// Log-probability of the text in nats, summed over the paths that a beam search kept; null for greedy decoding.
/// </param>
public sealed record Transcription(string Text, double Seconds, double? LogProbability)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Text} ({Seconds:0.0} s)");
}

/// <summary>Writes down what is said in recordings, with a model that was trained by CTC.</summary>
/// <param name="model">Features [batch, frames, channels] to logits [batch, time, 1 + symbols]; class 0 is the blank.</param>
/// <param name="symbols">Text of each class from 1 on, such as letters and the space.</param>
/// <param name="features">Features of a recording [frames, channels], such as those of <see cref="LogMel"/>.</param>
public sealed class SpeechRecognition(nn.Module<Tensor, Tensor> model, IReadOnlyList<string> symbols,
    Func<AudioClip, Tensor> features)
{
    /// <summary>Number of texts that a beam search keeps; 1 takes the most probable class of each frame.</summary>
    public int BeamWidth { get; init; } = 1;

    /// <summary>Makes features of a recording: one channel at the options' sample rate, as log-mel bands.</summary>
    /// <param name="options">Options; null for <see cref="MelOptions.At16kHz"/>.</param>
    public static Func<AudioClip, Tensor> LogMel(MelOptions? options = null)
    {
        options ??= MelOptions.At16kHz;
        var mel = new MelFeatures(options);
        return clip =>
        {
            using var mono = clip.Mono();
            using var sound = mono.Resampled(options.SampleRate);
            using var samples = sound.Samples[0];
            return mel.LogMel(samples);
        };
    }

    /// <summary>Writes down what is said in WAV files.</summary>
    /// <param name="paths">The files.</param>
    /// <returns>One for each file, in their order.</returns>
    /// <exception cref="FileNotFoundException">A file does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is no WAV file that the kit reads.</exception>
    public IReadOnlyList<Transcription> Transcribe(params IReadOnlyList<string> paths) =>
    [
        .. paths.Select(path =>
        {
            using var clip = WavFile.Read(path);
            return Transcribe(clip);
        }),
    ];

    /// <summary>Writes down what is said in a recording.</summary>
    /// <exception cref="ArgumentException">The model does not give a logit for each symbol and the blank.</exception>
    public Transcription Transcribe(AudioClip clip)
    {
        using var evaluation = new EvaluationMode(model);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var device = model.parameters().FirstOrDefault()?.device ?? CPU;
        var logits = model.call(features(clip).unsqueeze(0).to(device));
        var (_, _, classes) = logits.Axes3("logits [batch, time, classes]");
        if (classes != symbols.Count + 1)
            throw new ArgumentException($"The model has {classes} classes; expected {symbols.Count + 1}: the blank and "
                + $"{symbols.Count} symbols.");
        var best = BeamWidth > 1 ? CtcBeamSearch.Decode(logits[0], BeamWidth)[0] : null;
        return new Transcription(string.Concat((best?.Labels ?? Ctc.Greedy(logits[0])).Select(label => symbols[label - 1])),
            clip.Seconds, best?.LogProbability);
    }
}
