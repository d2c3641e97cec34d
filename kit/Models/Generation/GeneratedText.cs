namespace ResearchKit.Models;

/// <summary>A generated token.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Probability">
/// Probability of the token under the model, before temperature and truncation.
/// </param>
public readonly record struct GeneratedToken(long Id, double Probability);

/// <summary>A text generated from a prompt, token by token.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Tokens">The generated tokens.</param>
/// <param name="Pieces">Text of each token.</param>
public sealed record GeneratedText(string Prompt, IReadOnlyList<GeneratedToken> Tokens, IReadOnlyList<string> Pieces)
{
    /// <summary>Makes a text from a stream of tokens.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="tokens">The tokens that <c>Generate</c> yields.</param>
    /// <param name="decode">A tokenizer's <c>Decode</c>.</param>
    public static GeneratedText From(string prompt, IEnumerable<GeneratedToken> tokens, Func<IReadOnlyList<long>, string> decode)
    {
        var chosen = tokens.ToList();
        return new GeneratedText(prompt, chosen, [.. chosen.Select(token => decode([token.Id]))]);
    }

    /// <summary>The generated text, without the prompt.</summary>
    public string Text => string.Concat(Pieces);

    /// <inheritdoc/>
    public override string ToString() => Prompt + Text;
}
