namespace ResearchKit.Data;

/// <summary>A small vocabulary of symbols, each a token: the letters of words, or phonemes with spaces between.</summary>
/// <remarks>
/// The first tokens are &lt;pad&gt; 0, &lt;/s&gt; 1 and &lt;unk&gt; 2, as in T5, which begins to decode with &lt;pad&gt;.
/// </remarks>
public sealed class SymbolTokenizer : ITokenizer
{
    private readonly List<string> tokens = ["<pad>", "</s>", "<unk>"];
    private readonly Dictionary<string, long> ids;
    private readonly bool spaced;

    /// <param name="texts">The vocabulary is every symbol of them, in ordinal order.</param>
    /// <param name="spaced">Whether spaces part the symbols; else each character (Unicode code point) is one.</param>
    /// <exception cref="ArgumentException">The texts hold no symbol.</exception>
    public SymbolTokenizer(IEnumerable<string> texts, bool spaced)
    {
        this.spaced = spaced;
        tokens.AddRange(texts.SelectMany(Symbols).Distinct().Except(tokens).Order(StringComparer.Ordinal));
        if (tokens.Count == 3) throw new ArgumentException("The texts hold no symbol to make a vocabulary of.", nameof(texts));
        ids = tokens.Select((token, id) => (token, id))
            .ToDictionary(pair => pair.token, pair => (long)pair.id, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Count;

    /// <inheritdoc/>
    public SpecialTokens Special { get; } = new() { Padding = 0, End = 1, Unknown = 2 };

    /// <inheritdoc/>
    /// <remarks>A symbol that is not in the vocabulary becomes &lt;unk&gt;; no end is added.</remarks>
    public long[] Encode(string text) =>
        [.. Symbols(text).Select(symbol => ids.TryGetValue(symbol, out var id) && id > 2 ? id : 2)];

    /// <summary>Token ids of a text, and the end behind them.</summary>
    public long[] EncodeWithEnd(string text) => [.. Encode(text), 1];

    /// <inheritdoc/>
    /// <returns>The symbols up to the first end; padding is left out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens) =>
        string.Join(spaced ? " " : "", tokens.TakeWhile(id => id != 1).Where(id => id != 0).Select(Token));

    /// <inheritdoc/>
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Count)];

    private IEnumerable<string> Symbols(string text) => spaced ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : text.EnumerateRunes().Select(rune => rune.ToString());
}
