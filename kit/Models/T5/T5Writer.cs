using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// The decoder of a <see cref="T5"/> with encoded source texts, as a language model of the target texts.
/// </summary>
internal sealed class T5Writer : ILanguageModel, IDisposable
{
    private readonly T5 model;
    private readonly Tensor memory;   // [batch, source time, channels]
    private readonly AttentionMask memoryMask;

    /// <param name="model">The model.</param>
    /// <param name="sources">int64 [batch, source time].</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding; null for none.</param>
    public T5Writer(T5 model, Tensor sources, Tensor? attentionMask)
    {
        this.model = model;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var evaluation = new EvaluationMode(model);
        var device = Continuation.DeviceOf(this);
        var mask = attentionMask?.to(device);
        memory = model.Encode(sources.to(device), mask).DetachFromDisposeScope();
        memoryMask = AttentionMask.OfTokens(mask);
        memoryMask.Padding?.DetachFromDisposeScope();
    }

    public int VocabularySize => model.Config.VocabularySize;

    public int ContextLength => int.MaxValue;   // positions are relative

    public nn.Module Network => model;

    public Tensor NextLogits(Tensor tokens, KeyValueCache cache, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        var pass = new T5Pass(AttentionMask.OfTokens(attentionMask, causal: true), memory, memoryMask, cache);
        return model.Head(model.Decode(tokens, pass)[.., ^1]).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        memory.Dispose();
        memoryMask.Padding?.Dispose();
    }
}
