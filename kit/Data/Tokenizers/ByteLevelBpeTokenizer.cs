using System.Text;
using System.Text.Json;
using Library = Microsoft.ML.Tokenizers;

namespace ResearchKit.Data;

/// <summary>GPT-2's tokenizer: byte-pair encoding over bytes, which can represent any text.</summary>
/// <remarks>
/// Radford et al., 2019, §2.2,
/// https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf.
/// Microsoft.ML.Tokenizers merges the pairs; <see cref="Gpt2Words"/> explains why it does not split the words.
/// </remarks>
public sealed class ByteLevelBpeTokenizer : ITokenizer
{
    private readonly Dictionary<string, int> vocabulary;
    private readonly string?[] tokens;
    private readonly Library.BpeTokenizer merging;

    /// <param name="vocabulary">Token ids by token; tokens are written with the symbols of their bytes.</param>
    /// <param name="merges">Pairs of tokens to merge, in order of priority.</param>
    /// <param name="endOfText">The end-of-text token; null if the vocabulary has none.</param>
    /// <exception cref="InvalidDataException">
    /// The vocabulary lacks a byte or a token of a merge, or two tokens have the same id.
    /// </exception>
    public ByteLevelBpeTokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges,
        string endOfText = "<|endoftext|>")
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
        merging = Library.BpeTokenizer.Create(new Library.BpeOptions(this.vocabulary)
        {
            Merges = merges.Select(pair => $"{pair.Left} {pair.Right}"),
            ByteLevel = true,
        });
        Special = vocabulary.TryGetValue(endOfText, out var id) ? new SpecialTokens { Beginning = id, End = id }
            : SpecialTokens.None;
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Length;

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
    public static ByteLevelBpeTokenizer Parse(string vocabularyJson, string mergesText)
    {
        try
        {
            var vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(vocabularyJson)
                ?? throw new InvalidDataException("The vocabulary is null.");
            return new ByteLevelBpeTokenizer(vocabulary, [.. ParseMerges(mergesText)]);
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
    /// The characters <c>&lt;|endoftext|&gt;</c> in a text are encoded as ordinary text; <see cref="Special"/> has
    /// the id of the end-of-text token.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The text contains half of a surrogate pair, which UTF-8 cannot encode.
    /// </exception>
    public long[] Encode(string text)
    {
        WellFormed.Check(text);
        var ids = new List<long>(text.Length / 3);
        foreach (var word in Gpt2Words.Split(text))
            foreach (var id in merging.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false))
                ids.Add(id);
        return [.. ids];
    }

    /// <summary>Returns the words into which a text is split before pairs are merged within each word.</summary>
    public static IReadOnlyList<string> Words(string text) => [.. Gpt2Words.Split(text)];

    /// <inheritdoc/>
    /// <remarks>Invalid UTF-8 becomes U+FFFD.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens) =>
        Encoding.UTF8.GetString([.. tokens.SelectMany(id => ByteSymbols.Read(Token(id)))]);

    /// <inheritdoc/>
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Length)]
        ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has no token {id}.");

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
