using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>A model that says how likely each token is to come next: all that is needed to write with it.</summary>
public interface ILanguageModel
{
    /// <summary>Number of different tokens.</summary>
    int VocabularySize { get; }

    /// <summary>Longest text it reads, in tokens; beyond it, a writer sees only the last ones.</summary>
    int ContextLength { get; }

    /// <summary>The modules behind it, whose training mode is off while it writes.</summary>
    nn.Module Network { get; }

    /// <summary>
    /// Logits of the next token alone; reads <paramref name="tokens"/> as what follows the tokens in the cache.
    /// </summary>
    /// <param name="tokens">int64 [batch, time], the new tokens.</param>
    /// <param name="cache">Keys and values of the tokens before; gets those of the new ones.</param>
    /// <param name="attentionMask">
    /// [batch, tokens before and new ones], 0 = padding, which stands on the left and which no token sees or counts; null for
    /// none.
    /// </param>
    /// <returns>[batch, vocabulary].</returns>
    Tensor NextLogits(Tensor tokens, KeyValueCache cache, Tensor? attentionMask = null);
}
