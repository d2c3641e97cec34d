using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Texts generated from several prompts.</summary>
/// <param name="Tokens">Prompts followed by the generated tokens, int64 [batch, time].</param>
/// <param name="StepLogits">
/// Logits from which each new token was chosen, [batch, new time, vocabulary], if
/// <see cref="SamplingOptions.KeepLogits"/> is set. After the stop token of a row they are meaningless.
/// </param>
public sealed record GeneratedBatch(Tensor Tokens, Tensor? StepLogits) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        StepLogits?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"tokens {Tokens.ShapeText()}";
}
