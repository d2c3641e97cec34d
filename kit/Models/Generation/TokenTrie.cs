namespace ResearchKit.Models;

/// <summary>A list of choices as a tree of tokens, which restricts generation to them.</summary>
/// <remarks>
/// With <see cref="SamplingOptions.AllowedTokens"/> each token is chosen among those that begin a choice. That is fast, but
/// a token's probability is then its share among the allowed tokens only, so that the choices' probabilities are not those
/// of the model. <see cref="Scoring.Score"/> gives the exact ones.
/// </remarks>
public sealed class TokenTrie
{
    private readonly Node root = new();
    private readonly long? endToken;

    /// <param name="choices">Tokens of each choice, at least one choice with at least one token.</param>
    /// <param name="endToken">Token after a choice that another choice begins with; null if there is none.</param>
    /// <exception cref="ArgumentException">
    /// There are no choices, one has no tokens, or one begins with another and there is no end token.
    /// </exception>
    public TokenTrie(IReadOnlyList<IReadOnlyList<long>> choices, long? endToken = null)
    {
        if (choices.Count == 0) throw new ArgumentException("Got no choices; expected at least one.", nameof(choices));
        this.endToken = endToken;
        for (var choice = 0; choice < choices.Count; choice++)
        {
            if (choices[choice].Count == 0)
                throw new ArgumentException($"Choice {choice} has no tokens; expected at least one.", nameof(choices));
            var node = root;
            foreach (var token in choices[choice])
                node = node.Next.TryGetValue(token, out var next) ? next : node.Next[token] = new Node();
            node.Choice ??= choice;
        }
        if (endToken is null && root.FirstInside() is { } inside)
            throw new ArgumentException($"Another choice begins with choice {inside}, so that its end is not known; "
                + "expected an end token.", nameof(choices));
    }

    /// <summary>
    /// The tokens that may follow; empty after a whole choice. For <see cref="SamplingOptions.AllowedTokens"/>.
    /// </summary>
    /// <param name="written">The new tokens so far.</param>
    public IReadOnlyCollection<long> Allowed(IReadOnlyList<long> written)
    {
        if (Find(written) is not { } node) return [];
        return node is { Choice: not null, Next.Count: > 0 } ? [.. node.Next.Keys, endToken!.Value] : node.Next.Keys;
    }

    /// <summary>Index of the choice that was written, with or without the end token after it; null for none.</summary>
    public int? ChoiceOf(IReadOnlyList<long> written) =>
        (Find(written) ?? (written.Count > 0 && written[^1] == endToken ? Find([.. written.SkipLast(1)]) : null))?.Choice;

    private Node? Find(IReadOnlyList<long> written)
    {
        var node = root;
        foreach (var token in written)
            if (!node.Next.TryGetValue(token, out node!)) return null;
        return node;
    }

    private sealed class Node
    {
        public Dictionary<long, Node> Next { get; } = [];

        public int? Choice { get; set; }

        /// <summary>The first choice that another one begins with.</summary>
        public int? FirstInside() => Choice is { } own && Next.Count > 0 ? own
            : Next.Values.Select(node => node.FirstInside()).FirstOrDefault(found => found is not null);
    }
}
