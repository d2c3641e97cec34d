namespace ResearchKit.Data;

/// <summary>
/// Tokenizer with one token for each symbol: the letters of words, or phonemes separated by spaces.
/// </summary>
/// <remarks>
/// The first tokens are &lt;pad&gt; 0, &lt;/s&gt; 1 and &lt;unk&gt; 2, as in T5, where decoding starts with
/// &lt;pad&gt;.
/// </remarks>
public sealed class SymbolTokenizer : ITokenizer
{
    private readonly List<string> tokens = ["<pad>", "</s>", "<unk>"];
    private readonly Dictionary<string, long> ids;
    private readonly bool spaced;

    /// <param name="texts">Texts whose symbols make up the vocabulary, in ordinal order.</param>
    /// <param name="spaced">
    /// Whether symbols are separated by spaces; otherwise each character (Unicode code point) is a symbol.
    /// </param>
    /// <exception cref="ArgumentException">The texts contain no symbol.</exception>
    public SymbolTokenizer(IEnumerable<string> texts, bool spaced)
    {
        this.spaced = spaced;
        tokens.AddRange(texts.SelectMany(Symbols).Distinct().Except(tokens).Order(StringComparer.Ordinal));
        if (tokens.Count == 3)
            throw new ArgumentException("The texts contain no symbol; "
                + "expected at least one for the vocabulary.", nameof(texts));
        ids = tokens.Select((token, id) => (token, id))
            .ToDictionary(pair => pair.token, pair => (long)pair.id, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Count;

    /// <inheritdoc/>
    public SpecialTokens Special { get; } = new() { Padding = 0, End = 1, Unknown = 2 };

    /// <inheritdoc/>
    /// <remarks>A symbol outside the vocabulary becomes &lt;unk&gt;; no end token is added.</remarks>
    public long[] Encode(string text) =>
        [.. Symbols(text).Select(symbol => ids.TryGetValue(symbol, out var id) && id > 2 ? id : 2)];

    /// <summary>Returns the token ids of a text, followed by the end token.</summary>
    public long[] EncodeWithEnd(string text) => [.. Encode(text), 1];

    /// <inheritdoc/>
    /// <returns>The symbols up to the first end token, without padding.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens) =>
        string.Join(spaced ? " " : "", tokens.TakeWhile(id => id != 1).Where(id => id != 0).Select(Token));

    /// <inheritdoc/>
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Count)];

    private IEnumerable<string> Symbols(string text) => spaced ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : text.EnumerateRunes().Select(rune => rune.ToString());
}
