using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>GPT-2's tokenizer: byte-pair encoding over bytes, which can represent any text.</summary>
/// <remarks>
/// Radford et al., 2019, §2.2,
/// https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.
/// </remarks>
public sealed class ByteLevelBpeTokenizer : ITokenizer
{
    private readonly Dictionary<string, int> vocabulary;
    private readonly string?[] tokens;
    private readonly PretrainedTokenizer merging;

    /// <param name="vocabulary">Token ids by token; tokens are written with the symbols of their bytes.</param>
    /// <param name="merges">Pairs of tokens to merge, in order of priority.</param>
    /// <param name="endOfText">The end-of-text token; null if the vocabulary has none.</param>
    /// <exception cref="InvalidDataException">
    /// The vocabulary lacks a byte or a token of a merge, or two tokens have the same id.
    /// </exception>
    public ByteLevelBpeTokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges,
        string endOfText = "<|endoftext|>") : this(vocabulary, merges, endOfText, settings: null)
    {
    }

    private ByteLevelBpeTokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges,
        string endOfText, TokenizerSettings? settings)
    {
        this.vocabulary = new(vocabulary, StringComparer.Ordinal);
        tokens = VocabularyIds.Inverse(vocabulary);
        foreach (var symbol in ByteSymbols.All)
            if (!vocabulary.ContainsKey(symbol.ToString()))
                throw new InvalidDataException($"The vocabulary of {vocabulary.Count} tokens lacks the byte '{symbol}'.");
        Merges = merges;
        foreach (var (left, right) in merges)
            if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
                throw new InvalidDataException($"The merge '{left} {right}' needs both tokens and '{left}{right}' in the "
                    + $"vocabulary of {vocabulary.Count} tokens.");
        merging = new PretrainedTokenizer(Parts(endOfText, settings));
        Special = settings is not null ? merging.Special
            : vocabulary.TryGetValue(endOfText, out var id) ? new SpecialTokens { Beginning = id, End = id } : SpecialTokens.None;
    }

    /// <inheritdoc/>
    public int VocabularySize => merging.VocabularySize;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <summary>Pairs of tokens to merge, in order of priority.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Token ids by token; tokens are written with the symbols of their bytes.</summary>
    public IReadOnlyDictionary<string, int> Vocabulary => vocabulary;

    /// <summary>Loads GPT-2's vocabulary from the data set <c>gpt2-vocabulary</c>.</summary>
    public static ByteLevelBpeTokenizer Gpt2()
    {
        var set = DataSets.Open("gpt2-vocabulary");
        return Parse(set.ReadText("encoder.json.gz"), set.ReadText("vocab.bpe.gz"));
    }

    /// <param name="vocabularyJson">
    /// Content of <c>vocab.json</c> or <c>encoder.json</c>: an object from tokens to ids.
    /// </param>
    /// <param name="mergesText">
    /// Content of <c>merges.txt</c> or <c>vocab.bpe</c>: two tokens a line, after a line that begins with #version.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// One of the texts is malformed; the message says which and where.
    /// </exception>
    public static ByteLevelBpeTokenizer Parse(string vocabularyJson, string mergesText) =>
        Parse(vocabularyJson, mergesText, settings: null);

    /// <inheritdoc cref="Parse(string, string)"/>
    /// <param name="vocabularyJson">Content of <c>vocab.json</c>.</param>
    /// <param name="mergesText">Content of <c>merges.txt</c>.</param>
    /// <param name="settings">The added tokens, which are found in texts; null to find none.</param>
    internal static ByteLevelBpeTokenizer Parse(string vocabularyJson, string mergesText, TokenizerSettings? settings)
    {
        try
        {
            var vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(vocabularyJson)
                ?? throw new InvalidDataException("The vocabulary is null.");
            return new ByteLevelBpeTokenizer(vocabulary, [.. ParseMerges(mergesText)], "<|endoftext|>", settings);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException("The vocabulary is not a JSON object of tokens and ids (line "
                + $"{error.LineNumber + 1}): {error.Message}", error);
        }
    }

    /// <summary>Writes <c>vocab.json</c> and <c>merges.txt</c> in the format of transformers.</summary>
    /// <param name="folder">An existing folder.</param>
    public void Save(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.json"),
            JsonSerializer.Serialize(vocabulary.OrderBy(entry => entry.Value).ToDictionary()));
        File.WriteAllText(Path.Combine(folder, "merges.txt"),
            string.Concat(["#version: 0.2\n", .. Merges.Select(merge => $"{merge.Left} {merge.Right}\n")]));
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The characters <c>&lt;|endoftext|&gt;</c> in a text are encoded as ordinary text, except by a tokenizer that
    /// <see cref="PretrainedTokenizers.FromFolder"/> has read; <see cref="Special"/> has the id of the end-of-text token.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The text contains half of a surrogate pair, which UTF-8 cannot encode.
    /// </exception>
    public long[] Encode(string text) => merging.Encode(text);

    /// <summary>Returns the words into which a text is split before pairs are merged within each word.</summary>
    public static IReadOnlyList<string> Words(string text) => [.. Gpt2Words.Split(text)];

    /// <inheritdoc/>
    /// <remarks>Invalid UTF-8 becomes U+FFFD.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens) => merging.Decode(tokens);

    /// <inheritdoc/>
    public string Token(long id) => merging.Token(id);

    private TokenizerParts Parts(string endOfText, TokenizerSettings? settings)
    {
        var known = new TokenVocabulary(vocabulary.Select(entry => (entry.Key, entry.Value)), "The vocabulary");
        AddedToken[] end = settings is not null && vocabulary.TryGetValue(endOfText, out var id)
            ? [new AddedToken(endOfText, id) { IsSpecial = true }] : [];
        var type = settings?.Config.Text("tokenizer_class") ?? "";
        if (type.StartsWith("CLIP", StringComparison.Ordinal))
            throw new InvalidDataException("vocab.json and merges.txt of a CLIP model do not say how it writes the ends of "
                + "words; "
                + "expected its tokenizer.json.");
        var isQwen = type.StartsWith("Qwen2", StringComparison.Ordinal);
        var added = new AddedTokens(settings?.Complete(end, token => known.Find(token), tokens.Length) ?? [],
            isQwen ? TextNormalizers.Nfc : null);
        return new TokenizerParts
        {
            Name = "The vocabulary",
            Added = added,
            Cutter = isQwen ? WordCutters.ByPattern(new TokenPattern(TiktokenEncoding.Qwen.Pattern, type), SplitBehavior.Isolated)
                : settings?.Config.Flag("add_prefix_space") == true ? WordCutters.ByPrefixedGpt2Words : WordCutters.ByGpt2Words,
            WritesBytes = true,
            Vocabulary = known,
            Model = new BytePairModel(known, Merges.Select((pair, rank) => (vocabulary[pair.Left], vocabulary[pair.Right],
                vocabulary[pair.Left + pair.Right], rank)), ignoreMerges: false),
            Decoder = TokenDecoders.ByteLevel,
            CleansUp = settings?.Config.Flag("clean_up_tokenization_spaces") ?? false,
            Special = settings?.Special(token => added.Find(token)?.Id ?? known.Find(token)) ?? SpecialTokens.None,
        };
    }

    private static IEnumerable<(string, string)> ParseMerges(string text)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var pair = line.TrimEnd('\r').Split(' ');
            if (pair is [""] || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal))) continue;
            yield return pair is [{ Length: > 0 } left, { Length: > 0 } right] ? (left, right)
                : throw new InvalidDataException($"Line {number} of the merges is '{line}'; "
                    + "expected two tokens separated by a space.");
        }
    }
}

/// <summary>Checks that UTF-8 can encode a text.</summary>
internal static class WellFormed
{
    public static void Check(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (!char.IsHighSurrogate(text[at]) || at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1]))
                throw new ArgumentException($"Character {at} is half of a surrogate pair (U+{(int)text[at]:X4}); "
                    + "expected text that UTF-8 can encode.", nameof(text));
            at++;
        }
    }
}
