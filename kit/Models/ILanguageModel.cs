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

    /// <summary>Computes the logits of the token after each position, from a position on.</summary>
    /// <remarks>
    /// This implementation reads the tokens one by one, through <see cref="NextLogits"/>; a model that can compute all
    /// positions at once should do so.
    /// </remarks>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="start">The first position, from 0.</param>
    /// <returns>[batch, time - start, vocabulary].</returns>
    Tensor LogitsFrom(Tensor tokens, int start)
    {
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache((int)tokens.shape[1]);
        var logits = new List<Tensor> { NextLogits(tokens.narrow(1, 0, start + 1), cache) };
        for (var at = start + 1; at < tokens.shape[1]; at++) logits.Add(NextLogits(tokens.narrow(1, at, 1), cache));
        return stack(logits, 1).MoveToOuterDisposeScope();
    }
}
