using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Runs a model once and returns what it computed inside.</summary>
public static class Recordings
{
    /// <summary>Runs a model once in evaluation mode and records its activations.</summary>
    /// <param name="model">Any model of one tensor.</param>
    /// <param name="input">Its input, such as tokens, int64 [batch, time].</param>
    /// <param name="options">What is recorded; by default all hook points.</param>
    /// <returns>The recording, with the output of the model; no hook is left. The caller disposes it.</returns>
    /// <exception cref="KeyNotFoundException">A name matches nothing; the message lists the nearest names.</exception>
    /// <exception cref="ArgumentException">The filter leaves nothing, or the model has no such layer.</exception>
    public static ActivationCache Record(this Module<Tensor, Tensor> model, Tensor input, RecordingOptions? options = null) =>
        Run(model, options, () => model.call(input));

    /// <inheritdoc cref="Record(Module{Tensor, Tensor}, Tensor, RecordingOptions?)"/>
    /// <param name="model">The model.</param>
    /// <param name="source">Source text, int64 [batch, source time].</param>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <param name="options">What is recorded; by default all hook points.</param>
    public static ActivationCache Record(this T5 model, Tensor source, Tensor written, RecordingOptions? options = null) =>
        Run(model, options, () => model.call(source, written));

    /// <summary>Runs a model once on several texts, padded on the right, and records its activations.</summary>
    /// <remarks><see cref="ActivationCache.Of"/> returns the activation of one text without the padding.</remarks>
    /// <param name="model">A language model.</param>
    /// <param name="texts">The tokens of each text.</param>
    /// <param name="options">What is recorded; by default all hook points.</param>
    /// <returns>The recording; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">There is no text, a text is empty, or the texts have different lengths and the model
    /// reads no mask.</exception>
    public static ActivationCache Record(
        this Module<Tensor, Tensor> model, IReadOnlyList<IReadOnlyList<long>> texts, RecordingOptions? options = null)
    {
        if (texts.Count == 0 || texts.Any(text => text.Count == 0))
            throw new ArgumentException($"Got {texts.Count} texts, {texts.Count(text => text.Count == 0)} of them empty; "
                + "expected at least one token in each.", nameof(texts));
        using var scope = NewDisposeScope();
        var (rows, padding) = PaddedTokens.Right(texts);
        var device = DeviceOf(model);
        var tokens = rows.to(device);
        var mask = padding?.to(device);
        var cache = Run(model, options, () => Masked(model, tokens, mask));
        cache.Lengths = [.. texts.Select(text => text.Count)];
        return cache;
    }

    /// <summary>Computes how many bytes a recording would take, before it is made.</summary>
    /// <remarks>
    /// For models of the kit, shapes are computed on the meta device, without numbers. Other models run once, and nothing is
    /// kept.
    /// </remarks>
    /// <param name="model">Any model of one tensor.</param>
    /// <param name="input">Its input; only shape and dtype matter for models of the kit.</param>
    /// <param name="options">What would be recorded; by default all hook points.</param>
    /// <returns>The sum of shape times element size over all recorded activations.</returns>
    public static long EstimateBytes(
        this Module<Tensor, Tensor> model, Tensor input, RecordingOptions? options = null) =>
        Estimate(model, options, [input], (network, inputs) => ((Module<Tensor, Tensor>)network).call(inputs[0]));

    /// <inheritdoc cref="EstimateBytes(Module{Tensor, Tensor}, Tensor, RecordingOptions?)"/>
    /// <param name="model">The model.</param>
    /// <param name="source">Source text, int64 [batch, source time].</param>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <param name="options">What would be recorded; by default all hook points.</param>
    public static long EstimateBytes(this T5 model, Tensor source, Tensor written, RecordingOptions? options = null) =>
        Estimate(model, options, [source, written], (network, inputs) => ((T5)network).call(inputs[0], inputs[1]));

    /// <summary>Where a model's parameters are.</summary>
    internal static Device DeviceOf(nn.Module model) => model.parameters().FirstOrDefault()?.device ?? CPU;

    private static long Estimate(nn.Module model, RecordingOptions? options, IReadOnlyList<Tensor> inputs,
        Func<nn.Module, IReadOnlyList<Tensor>, Tensor> forward)
    {
        using var scope = NewDisposeScope();
        var meta = new Device(DeviceType.META);
        var shapesOnly = (options ?? new RecordingOptions()) with { Device = meta, Gradients = false };
        if (!PackableModels.Has(model)) return Counted(model, inputs);
        using var shapes = MetaInitialization.Make(() => PackableModels.Like(model));
        if (model.parameters().FirstOrDefault() is { } first && first.dtype != ScalarType.Float32) shapes.to(first.dtype);
        return Counted(shapes, [.. inputs.Select(input => input.to(meta))]);

        long Counted(nn.Module network, IReadOnlyList<Tensor> given)
        {
            using var cache = Run(network, shapesOnly, () => forward(network, given));
            return cache.Bytes;
        }
    }

    private static Tensor Masked(Module<Tensor, Tensor> model, Tensor tokens, Tensor? mask) => (model, mask) switch
    {
        (_, null) => model.call(tokens),
        (Gpt gpt, _) => gpt.Logits(tokens, mask),
        (Llama llama, _) => llama.Logits(tokens, mask),
        (Bert bert, _) => bert.Features(tokens, mask),
        (BertForMaskedLanguageModel bert, _) => bert.Logits(tokens, mask),
        (BertForSequenceClassification bert, _) => bert.Logits(tokens, mask),
        (BertForTokenClassification bert, _) => bert.Logits(tokens, mask),
        _ => throw new ArgumentException($"The texts have different lengths, and {model.GetName()} reads no mask; "
            + "record texts of one length together."),
    };

    private static ActivationCache Run(nn.Module model, RecordingOptions? options, Func<Tensor> forward)
    {
        options ??= new RecordingOptions();
        var cache = ActivationCache.Record(model, options);
        try
        {
            using var evaluation = new EvaluationMode(model);
            using var grad = options.Gradients ? enable_grad() : no_grad();
            cache.Output = cache.Run(forward)?.DetachFromDisposeScope();
            cache.Stop();
            return cache;
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }
}
