using System.Text;
using ResearchKit.Data.Unicode;
using Library = Microsoft.ML.Tokenizers;

namespace ResearchKit.Data;

/// <summary>
/// BERT's tokenizer: splits a text into words, and each word greedily from its start into the longest pieces in
/// the vocabulary.
/// </summary>
/// <remarks>
/// Wu et al., 2016, §4.1, https://arxiv.org/abs/1609.08144; Devlin et al., 2018,
/// https://arxiv.org/abs/1810.04805. Microsoft.ML.Tokenizers finds the pieces; <see cref="BertWords"/> explains
/// why it does not split the words.
/// </remarks>
public sealed class WordPieceTokenizer : ITokenizer
{
    private const string Unknown = "[UNK]", Classification = "[CLS]", Separator = "[SEP]", Padding = "[PAD]", Mask = "[MASK]";

    private readonly string[] tokens;
    private readonly Dictionary<string, int> ids;
    private readonly List<string> special;
    private readonly Library.WordPieceTokenizer pieces;
    private readonly WordPieceOptions options;

    /// <param name="tokens">
    /// The vocabulary; a token's index is its id. Pieces that continue a word begin with ##.
    /// </param>
    /// <param name="options">How to split words; null for an uncased vocabulary.</param>
    /// <exception cref="InvalidDataException">
    /// A token occurs twice, or [UNK], [CLS] or [SEP] is missing.
    /// </exception>
    /// <exception cref="ArgumentException">The longest word is not 1 to 10,000.</exception>
    public WordPieceTokenizer(IReadOnlyList<string> tokens, WordPieceOptions? options = null)
    {
        this.options = options ?? WordPieceOptions.Uncased;
        if (this.options.LongestWord is < 1 or > 10_000)
            throw new ArgumentException($"Got LongestWord {this.options.LongestWord}; "
                + "expected 1 to 10,000.", nameof(options));
        this.tokens = [.. tokens];
        ids = new(tokens.Count, StringComparer.Ordinal);
        foreach (var (token, id) in tokens.Select((token, id) => (token, id)))
            if (!ids.TryAdd(token, id))
                throw new InvalidDataException($"The token '{token}' has the ids {ids[token]} and {id}; "
                    + "expected each token once.");
        foreach (var needed in (string[])[Unknown, Classification, Separator])
            if (!ids.ContainsKey(needed))
                throw new InvalidDataException($"The vocabulary of {tokens.Count} tokens lacks {needed}.");
        special = [.. new[] { Unknown, Separator, Padding, Classification, Mask }.Where(ids.ContainsKey)];
        Special = new SpecialTokens
        {
            Unknown = ids[Unknown],
            Classification = ids[Classification],
            Separator = ids[Separator],
            Padding = Find(Padding),
            Mask = Find(Mask),
        };
        using var lines = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', this.tokens)));
        // The library counts UTF-16 units, up to two per code point, and allocates that many on the stack.
        pieces = Library.WordPieceTokenizer.Create(lines,
            new Library.WordPieceOptions { UnknownToken = Unknown, MaxInputCharsPerWord = 2 * this.options.LongestWord });
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Length;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <summary>Loads the vocabulary of BERT-base-uncased from the data set <c>bert-vocabulary</c>.</summary>
    public static WordPieceTokenizer BertUncased(WordPieceOptions? options = null) =>
        Parse(DataSets.Open("bert-vocabulary").ReadText("vocab.txt"), options);

    /// <param name="vocabularyText">Content of <c>vocab.txt</c>: one token per line.</param>
    /// <param name="options">How words are cut; null for an uncased vocabulary.</param>
    /// <exception cref="InvalidDataException">A token stands twice, or [UNK], [CLS] or [SEP] is missing.</exception>
    public static WordPieceTokenizer Parse(string vocabularyText, WordPieceOptions? options = null) =>
        new([.. vocabularyText.TrimEnd('\n', '\r').Split('\n').Select(line => line.TrimEnd('\r'))], options);

    /// <inheritdoc/>
    public long[] Encode(string text)
    {
        var result = new List<long>();
        foreach (var (part, isSpecial) in options.FindSpecialTokens ? AtSpecialTokens(text) : [(text, false)])
        {
            if (isSpecial) result.Add(ids[part]);
            else
                foreach (var word in BertWords.Split(CodePoints.Of(part), options)) AddPieces(result, word);
        }
        return [.. result];
    }

    /// <summary>
    /// Encodes a text as BERT expects it, between [CLS] and [SEP]; a second text and another [SEP] follow if given.
    /// </summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second text, if there is one.</param>
    /// <param name="maximumLength">
    /// Maximum number of tokens, including special ones. Tokens are dropped from the end of the longer text, or of
    /// the second if both have the same length.
    /// </param>
    /// <param name="pad">Whether to pad to <paramref name="maximumLength"/> with [PAD].</param>
    /// <exception cref="ArgumentException">
    /// The special tokens alone exceed the maximum length, or padding is requested without a length or without
    /// [PAD] in the vocabulary.
    /// </exception>
    public TokenSequence EncodeForBert(string text, string? pair = null, int? maximumLength = null, bool pad = false)
    {
        var first = Encode(text).ToList();
        var second = pair is null ? null : Encode(pair).ToList();
        var added = second is null ? 2 : 3;
        if (maximumLength < added)
            throw new ArgumentException($"Got a maximum length of {maximumLength}; "
                + $"the special tokens alone need {added}.", nameof(maximumLength));
        while (first.Count + (second?.Count ?? 0) + added > (maximumLength ?? int.MaxValue))
        {
            var longer = second is null || first.Count > second.Count ? first : second;
            longer.RemoveAt(longer.Count - 1);
        }
        long[] ids = [Special.Classification!.Value, .. first, Special.Separator!.Value, .. second ?? [],
            .. second is null ? [] : new[] { Special.Separator.Value }];
        var types = ids.Select((_, at) => at < first.Count + 2 ? 0L : 1L).ToArray();
        var whole = new TokenSequence(ids, types, [.. ids.Select(_ => 1L)]);
        if (!pad) return whole;
        if (maximumLength is not { } length || Special.Padding is not { } padding)
            throw new ArgumentException($"Padding needs a maximum length (got {maximumLength}) and a vocabulary with {Padding}.",
                nameof(pad));
        return whole.PaddedTo(length, padding);
    }

    /// <inheritdoc/>
    /// <returns>The words separated by spaces; the original spelling and spacing are not restored.</returns>
    public string Decode(IReadOnlyList<long> tokens) =>
        string.Join(' ', tokens.Select(Token)).Replace(" ##", "", StringComparison.Ordinal).Trim();

    /// <inheritdoc/>
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Length)];

    private long? Find(string token) => ids.TryGetValue(token, out var id) ? id : null;

    private void AddPieces(List<long> result, List<int> word)
    {
        if (word.Count > options.LongestWord) result.Add(ids[Unknown]);
        else
            foreach (var id in pieces.EncodeToIds(CodePoints.Text(word), considerPreTokenization: false,
                considerNormalization: false)) result.Add(id);
    }

    private IEnumerable<(string Part, bool IsSpecial)> AtSpecialTokens(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '['
                || special.Find(token => string.CompareOrdinal(text, at, token, 0, token.Length) == 0) is not { } found) continue;
            if (at > start) yield return (text[start..at], false);
            yield return (found, true);
            start = at + found.Length;
            at = start - 1;
        }
        if (start < text.Length) yield return (text[start..], false);
    }
}
