using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>
/// BERT's tokenizer: splits a text into words, and each word greedily from its start into the longest pieces in
/// the vocabulary.
/// </summary>
/// <remarks>
/// Wu et al., 2016, §4.1, https://arxiv.org/abs/1609.08144; Devlin et al., 2018,
/// https://arxiv.org/abs/1810.04805.
/// </remarks>
public sealed class WordPieceTokenizer : ITokenizer
{
    private const string Unknown = "[UNK]", Classification = "[CLS]", Separator = "[SEP]", Padding = "[PAD]", Mask = "[MASK]";

    private readonly string?[] tokens;
    private readonly AddedTokens added;
    private readonly WordPieceModel pieces;
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
        : this(Distinct(tokens), options, TokenizerSettings.None)
    {
    }

    private WordPieceTokenizer(IReadOnlyList<string> tokens, WordPieceOptions? options, TokenizerSettings settings)
    {
        this.options = options ?? WordPieceOptions.Uncased;
        if (this.options.LongestWord is < 1 or > 10_000)
            throw new ArgumentException($"Got LongestWord {this.options.LongestWord}; "
                + "expected 1 to 10,000.", nameof(options));
        var vocabulary = new TokenVocabulary(tokens.Select((token, id) => (token, id)), "The vocabulary");
        foreach (var needed in (string[])[Unknown, Classification, Separator])
            if (vocabulary.Find(needed) < 0)
                throw new InvalidDataException($"The vocabulary of {tokens.Count} tokens lacks {needed}.");
        string[] special = this.options.FindSpecialTokens ? [Unknown, Separator, Padding, Classification, Mask] : [];
        var found = settings.Complete(special.Where(token => vocabulary.Find(token) >= 0)
            .Select(token => new AddedToken(token, vocabulary.Find(token)) { IsSpecial = true }), token =>
                vocabulary.Find(token), tokens.Count);
        added = new AddedTokens(found, found.Exists(token => token.IsNormalized) ? Normalized : null);
        this.tokens = new string[Math.Max(tokens.Count, found.Select(token => token.Id + 1).DefaultIfEmpty().Max())];
        for (var id = 0; id < tokens.Count; id++) this.tokens[id] = tokens[id];
        foreach (var token in found) this.tokens[token.Id] = token.Content;
        Special = settings.Special(token => added.Find(token)?.Id ?? vocabulary.Find(token)) with
        {
            Unknown = vocabulary.Find(Unknown),
            Classification = vocabulary.Find(Classification),
            Separator = vocabulary.Find(Separator),
            Beginning = null,
            End = null,
        };
        pieces = new WordPieceModel(vocabulary, vocabulary.Find(Unknown), "##", this.options.LongestWord);
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Length;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <summary>Loads the vocabulary of BERT-base-uncased from the data set <c>bert-vocabulary</c>.</summary>
    public static WordPieceTokenizer BertUncased(WordPieceOptions? options = null) =>
        Parse(DataSets.Open("bert-vocabulary").ReadText("vocab.txt"), options);

    /// <param name="vocabularyText">
    /// Content of <c>vocab.txt</c>: one token per line, with the number of the line as its id. Of equal lines, the last counts;
    /// an empty line is a token that no text contains.
    /// </param>
    /// <param name="options">How words are cut; null for an uncased vocabulary.</param>
    /// <exception cref="InvalidDataException">[UNK], [CLS] or [SEP] is missing.</exception>
    public static WordPieceTokenizer Parse(string vocabularyText, WordPieceOptions? options = null) =>
        Parse(vocabularyText, options, TokenizerSettings.None);

    internal static WordPieceTokenizer Parse(string vocabularyText, WordPieceOptions? options, TokenizerSettings settings) =>
        new([.. (vocabularyText.EndsWith('\n') ? vocabularyText[..^1] : vocabularyText).Split('\n')
            .Select(line => line.TrimEnd('\r'))], options, settings);

    /// <inheritdoc/>
    public long[] Encode(string text)
    {
        var result = new List<int>();
        foreach (var (part, token) in added.Split(text))
        {
            if (token is not null) result.Add(token.Id);
            else
                foreach (var word in BertWords.Split(CodePoints.Of(part.Source), options)) AddPieces(result, word);
        }
        return [.. result.Select(id => (long)id)];
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
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Length)]
        ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has no token {id}.");

    private void AddPieces(List<int> result, List<int> word)
    {
        if (word.Count > options.LongestWord) result.Add((int)Special.Unknown!.Value);
        else pieces.Encode(CodePoints.Text(word), result);
    }

    private string Normalized(string text) => options.LowerCaseWholeWords ? text
        : new BertNormalizer(cleanText: true, options.SplitIdeographs, options.StripAccents, options.LowerCase).Normalize(text);

    private static IReadOnlyList<string> Distinct(IReadOnlyList<string> tokens)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
            if (!ids.TryAdd(tokens[id], id))
                throw new InvalidDataException($"The token '{tokens[id]}' has the ids {ids[tokens[id]]} and {id}; "
                    + "expected each token once.");
        return tokens;
    }
}
