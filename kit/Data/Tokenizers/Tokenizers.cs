using System.Text;

namespace ResearchKit.Data;

/// <summary>A tokenizer: converts text to token ids and back.</summary>
public interface ITokenizer
{
    /// <summary>Vocabulary size; ids are 0 to one less.</summary>
    int VocabularySize { get; }

    /// <summary>Returns the token ids of a text.</summary>
    long[] Encode(string text);

    /// <summary>Returns the text of token ids.</summary>
    string Decode(IReadOnlyList<long> tokens);

    /// <summary>Returns a token as it is written in the vocabulary.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    string Token(long id);

    /// <summary>Ids of the special tokens.</summary>
    SpecialTokens Special { get; }
}

/// <summary>
/// Tokenizer with one token for each character (Unicode code point) of some texts, in the order of their code
/// points.
/// </summary>
public sealed class CharacterTokenizer : ITokenizer
{
    private readonly Dictionary<Rune, long> ids;
    private readonly Rune[] characters;

    /// <summary>Creates a tokenizer whose vocabulary is every character of <paramref name="texts"/>.</summary>
    /// <exception cref="ArgumentException">The texts contain no character.</exception>
    public CharacterTokenizer(params IEnumerable<string> texts)
    {
        characters = [.. texts.SelectMany(text => text.EnumerateRunes()).ToHashSet().Order()];
        if (characters.Length == 0)
            throw new ArgumentException("The texts contain no character; "
                + "expected at least one for the vocabulary.", nameof(texts));
        ids = characters.Select((character, id) => (character, id)).ToDictionary(pair => pair.character, pair => (long)pair.id);
    }

    /// <inheritdoc/>
    public int VocabularySize => characters.Length;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// A character is not in the vocabulary; the message says which and where.
    /// </exception>
    public long[] Encode(string text)
    {
        var tokens = new List<long>(text.Length);
        foreach (var character in text.EnumerateRunes())
            tokens.Add(ids.TryGetValue(character, out var id) ? id
                : throw new ArgumentException($"Character '{character}' (U+{character.Value:X4}), character number "
                    + $"{tokens.Count} of the text, is not in the vocabulary of {VocabularySize}.", nameof(text)));
        return [.. tokens];
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens)
    {
        var text = new StringBuilder(tokens.Count);
        foreach (var token in tokens)
            text.Append(token >= 0 && token < characters.Length ? characters[token].ToString()
                : throw new ArgumentException($"Token {token} is outside the vocabulary of {VocabularySize}.", nameof(tokens)));
        return text.ToString();
    }

    /// <inheritdoc/>
    public SpecialTokens Special => SpecialTokens.None;

    /// <inheritdoc/>
    public string Token(long id) => characters[VocabularyIds.Checked(id, VocabularySize)].ToString();
}

/// <summary>
/// Tokenizer with one token for each byte of the text in UTF-8: 256 tokens that can represent any text.
/// </summary>
public sealed class ByteTokenizer : ITokenizer
{
    /// <inheritdoc/>
    public int VocabularySize => 256;

    /// <inheritdoc/>
    public long[] Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => (long)value)];

    /// <inheritdoc/>
    /// <remarks>Invalid UTF-8 becomes U+FFFD.</remarks>
    /// <exception cref="ArgumentException">An id is not a byte.</exception>
    public string Decode(IReadOnlyList<long> tokens)
    {
        var bytes = new byte[tokens.Count];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = tokens[i] is >= 0 and <= 255 ? (byte)tokens[i] : throw new ArgumentException($"Token {tokens[i]} is "
                + "not a byte; expected 0 to 255.", nameof(tokens));
        return Encoding.UTF8.GetString(bytes);
    }

    /// <inheritdoc/>
    public SpecialTokens Special => SpecialTokens.None;

    /// <inheritdoc/>
    /// <returns>The ASCII character, or the byte in the form <c>&lt;0xE2&gt;</c>.</returns>
    public string Token(long id) =>
        VocabularyIds.Checked(id, VocabularySize) is var value && value is > 32 and < 127 ? ((char)value).ToString()
            : $"<0x{value:X2}>";
}
