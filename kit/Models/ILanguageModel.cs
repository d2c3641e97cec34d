using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>An autoregressive language model, as text generation needs it.</summary>
public interface ILanguageModel
{
    /// <summary>Number of different tokens.</summary>
    int VocabularySize { get; }

    /// <summary>
    /// Longest sequence the model accepts, in tokens; beyond it, generation uses only the last tokens.
    /// </summary>
    int ContextLength { get; }

    /// <summary>The module that computes the logits; it is put into evaluation mode during generation.</summary>
    nn.Module Network { get; }

    /// <summary>
    /// Computes the logits of the next token only; <paramref name="tokens"/> continue the tokens in the cache.
    /// </summary>
    /// <param name="tokens">int64 [batch, time], the new tokens.</param>
    /// <param name="cache">Keys and values of the earlier tokens; those of the new tokens are appended.</param>
    /// <param name="attentionMask">
    /// [batch, cached and new tokens], 0 = padding, which is on the left, is not attended to and does not count for
    /// positions; null for none.
    /// </param>
    /// <returns>[batch, vocabulary].</returns>
    Tensor NextLogits(Tensor tokens, KeyValueCache cache, Tensor? attentionMask = null);
}
