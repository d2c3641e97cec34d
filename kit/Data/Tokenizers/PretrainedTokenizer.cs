using System.Collections.Concurrent;
using System.Text;

namespace ResearchKit.Data;

/// <summary>
/// The tokenizer of a published model, as its <c>tokenizer.json</c> or tiktoken file describes it: finds added tokens, normalizes
/// the text between them, splits it into words, and encodes each word.
/// </summary>
/// <remarks>
/// Gives the ids of huggingface/tokenizers, https://github.com/huggingface/tokenizers. <see cref="PretrainedTokenizers"/> loads
/// one. An instance can be used by several threads at once.
/// </remarks>
public sealed class PretrainedTokenizer : ITokenizer
{
    private const int LongestKept = 64, MostKept = 200_000;

    private readonly TokenizerParts parts;
    private readonly string?[] tokens;
    private readonly Dictionary<string, int> ids;
    private readonly ConcurrentDictionary<string, int[]> known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> lookup;
    private readonly Lazy<ChatTemplate?> chat;
    private int kept;

    internal PretrainedTokenizer(TokenizerParts parts)
    {
        this.parts = parts;
        chat = new Lazy<ChatTemplate?>(parts.Chat ?? (() => null));
        lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        ids = new(parts.Vocabulary.Ids, StringComparer.Ordinal);
        foreach (var added in parts.Added.All) ids[added.Content] = added.Id;
        var size = parts.Vocabulary.Ids.Values.Concat(parts.Added.OfIds.Select(token => token.Id)).DefaultIfEmpty(-1).Max() + 1L;
        if (size > (4L * ids.Count) + 65_536)
            throw new InvalidDataException($"{parts.Name} has {ids.Count} tokens and the id {size - 1}; expected ids with few "
                + "gaps.");
        tokens = new string?[size];
        foreach (var (token, id) in parts.Vocabulary.Ids) tokens[id] = token;
        foreach (var added in parts.Added.OfIds) tokens[added.Id] = added.Content;
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Length;

    /// <inheritdoc/>
    public SpecialTokens Special => parts.Special;

    /// <summary>The tokens that are found in a text before it is split into words.</summary>
    public IReadOnlyList<AddedToken> Added => parts.Added.All;

    /// <inheritdoc/>
    /// <remarks>
    /// Added tokens in the text are found. No beginning or end token is added; <see cref="EncodeForModel"/> adds them.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The text contains half of a surrogate pair, or a character that the vocabulary has no token for, not even an unknown one.
    /// </exception>
    public long[] Encode(string text)
    {
        WellFormed.Check(text);
        var result = new List<int>(text.Length / 3);
        var words = new List<Word>();
        foreach (var (word, token) in parts.Added.Split(text))
        {
            if (token is not null)
            {
                result.Add(token.Id);
                continue;
            }
            words.Clear();
            if (parts.Cutter is { } cut) cut(word, words);
            else words.Add(word);
            foreach (var part in words) AddWord(part.Span, result);
        }
        var ids = new long[result.Count];
        for (var at = 0; at < ids.Length; at++) ids[at] = result[at];
        return ids;
    }

    /// <summary>Encodes one or two texts with the special tokens that the model expects around them.</summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second text, if there is one.</param>
    /// <param name="maximumLength">
    /// Maximum number of tokens, including special ones. Tokens are dropped from the end of the longer text, or of the second if
    /// both have the same length.
    /// </param>
    /// <param name="pad">Whether to pad to <paramref name="maximumLength"/> with the padding token.</param>
    /// <exception cref="ArgumentException">
    /// The special tokens alone exceed the maximum length, or padding is requested without a length or a padding token.
    /// </exception>
    public TokenSequence EncodeForModel(string text, string? pair = null, int? maximumLength = null, bool pad = false)
    {
        var first = Encode(text).ToList();
        var second = pair is null ? null : Encode(pair).ToList();
        var added = parts.Template.Added(second is not null);
        if (maximumLength < added)
            throw new ArgumentException($"Got a maximum length of {maximumLength}; the special tokens alone need {added}.",
                nameof(maximumLength));
        var excess = first.Count + (second?.Count ?? 0) + added - (maximumLength ?? int.MaxValue);
        for (; excess > 0; excess--)
        {
            var longer = second is null || first.Count > second.Count ? first : second;
            longer.RemoveAt(longer.Count - 1);
        }
        var whole = parts.Template.Fill(first, second);
        if (!pad) return whole;
        if (maximumLength is not { } length || Special.Padding is not { } padding)
            throw new ArgumentException($"Padding needs a maximum length (got {maximumLength}) and a padding token; "
                + $"{parts.Name} has "
                + $"{(Special.Padding is { } id ? $"the padding token {id}" : "none")}.", nameof(pad));
        return whole.PaddedTo(length, padding);
    }

    /// <summary>The model's chat template, read at the first use; null if its folder has none.</summary>
    /// <exception cref="InvalidDataException">The template is malformed or uses what is not supported.</exception>
    public ChatTemplate? Chat => chat.Value;

    /// <summary>Encodes a chat as the model expects it, with the model's chat template.</summary>
    /// <param name="messages">The messages, the oldest first.</param>
    /// <param name="addGenerationPrompt">Whether the beginning of the assistant's next message follows.</param>
    /// <param name="values">What else the template reads, such as <c>tools</c>: values as in JSON.</param>
    /// <exception cref="InvalidOperationException">The folder of the tokenizer has no chat template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the messages.</exception>
    public long[] ApplyChat(IEnumerable<ChatMessage> messages, bool addGenerationPrompt = false,
        IReadOnlyDictionary<string, object?>? values = null) => Encode((Chat ?? throw new InvalidOperationException(
            $"{parts.Name} has no chat template beside it; read one with ChatTemplate.Read or ChatTemplate.Parse."))
            .Render(messages, addGenerationPrompt, values));

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens) => Decode(tokens, skipSpecial: false);

    /// <summary>Returns the text of token ids.</summary>
    /// <param name="tokens">Token ids.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens, bool skipSpecial)
    {
        var read = new List<string>(tokens.Count);
        foreach (var id in tokens)
        {
            var token = Token(id);
            if (!skipSpecial || parts.Added.Find((int)id)?.IsSpecial != true) read.Add(token);
        }
        var text = string.Concat(parts.Decoder(read, token => parts.Added.Find(token) is not null));
        return parts.CleansUp ? TokenDecoders.CleanUp(text) : text;
    }

    /// <inheritdoc/>
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Length)]
        ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary of {parts.Name} has no token {id}.");

    /// <summary>Returns the id of a token as it is written in the vocabulary; null if there is no such token.</summary>
    public long? Find(string token) => ids.TryGetValue(token, out var id) ? id : null;

    private void AddWord(ReadOnlySpan<char> word, List<int> result)
    {
        if (word.IsEmpty) return;
        if (word.Length <= LongestKept && lookup.TryGetValue(word, out var found))
        {
            foreach (var id in found) result.Add(id);
            return;
        }
        var before = result.Count;
        if (parts.WritesBytes) parts.Model.Encode(Bytes(word), result);
        else parts.Model.Encode(word, result);
        if (word.Length > LongestKept || kept > MostKept) return;
        Interlocked.Increment(ref kept);
        known[word.ToString()] = [.. result[before..]];
    }

    private static string Bytes(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        return ByteSymbols.Write(bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes)));
    }
}
