namespace ResearchKit.Models;

/// <summary>One token that a model chose.</summary>
/// <param name="Id">Its number in the vocabulary.</param>
/// <param name="Probability">Probability that the model gave it, before temperature and truncation.</param>
public readonly record struct GeneratedToken(long Id, double Probability);

/// <summary>What a model wrote after a prompt, token by token.</summary>
/// <param name="Prompt">The text it was given.</param>
/// <param name="Tokens">The tokens it chose.</param>
/// <param name="Pieces">Text of each token.</param>
public sealed record GeneratedText(string Prompt, IReadOnlyList<GeneratedToken> Tokens, IReadOnlyList<string> Pieces)
{
    /// <summary>Collects a stream of tokens.</summary>
    /// <param name="prompt">The text the model was given.</param>
    /// <param name="tokens">What <c>Generate</c> yields.</param>
    /// <param name="decode">A tokenizer's <c>Decode</c>.</param>
    public static GeneratedText From(string prompt, IEnumerable<GeneratedToken> tokens, Func<IReadOnlyList<long>, string> decode)
    {
        var chosen = tokens.ToList();
        return new GeneratedText(prompt, chosen, [.. chosen.Select(token => decode([token.Id]))]);
    }

    /// <summary>The text that was written, without the prompt.</summary>
    public string Text => string.Concat(Pieces);

    /// <inheritdoc/>
    public override string ToString() => Prompt + Text;
}
