using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>What a model wrote after several prompts.</summary>
/// <param name="Tokens">Prompts and what was written, int64 [batch, time].</param>
/// <param name="StepLogits">
/// Logits that each new token was chosen from, [batch, new time, vocabulary], where <see cref="SamplingOptions.KeepLogits"/>
/// asked for them; in a row they mean nothing after its stop token.
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
