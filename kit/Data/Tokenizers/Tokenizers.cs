using System.Text;

namespace ResearchKit.Data;

/// <summary>From text to token numbers and back.</summary>
public interface ITokenizer
{
    /// <summary>Number of different tokens; ids are 0 to one less.</summary>
    int VocabularySize { get; }

    /// <summary>Token ids of a text.</summary>
    long[] Encode(string text);

    /// <summary>Text of token ids.</summary>
    string Decode(IReadOnlyList<long> tokens);

    /// <summary>A token as its vocabulary writes it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    string Token(long id);

    /// <summary>Ids of the tokens that stand for no text.</summary>
    SpecialTokens Special { get; }
}

/// <summary>One token for each character (Unicode code point) that a text contains, in the order of their numbers.</summary>
public sealed class CharacterTokenizer : ITokenizer
{
    private readonly Dictionary<Rune, long> ids;
    private readonly Rune[] characters;

    /// <summary>The vocabulary is every character of <paramref name="texts"/>.</summary>
    /// <exception cref="ArgumentException">The texts hold no character.</exception>
    public CharacterTokenizer(params IEnumerable<string> texts)
    {
        characters = [.. texts.SelectMany(text => text.EnumerateRunes()).ToHashSet().Order()];
        if (characters.Length == 0)
            throw new ArgumentException("The texts hold no character to make a vocabulary of.", nameof(texts));
        ids = characters.Select((character, id) => (character, id)).ToDictionary(pair => pair.character, pair => (long)pair.id);
    }

    /// <inheritdoc/>
    public int VocabularySize => characters.Length;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A character that the vocabulary lacks; says which and where.</exception>
    public long[] Encode(string text)
    {
        var tokens = new List<long>(text.Length);
        foreach (var character in text.EnumerateRunes())
            tokens.Add(ids.TryGetValue(character, out var id) ? id
                : throw new ArgumentException($"Character '{character}' (U+{character.Value:X4}), number {tokens.Count}, is not "
                    + $"in the vocabulary of {VocabularySize}.", nameof(text)));
        return [.. tokens];
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A number outside the vocabulary.</exception>
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

/// <summary>One token for each byte of the text in UTF-8: 256 tokens that can write anything.</summary>
public sealed class ByteTokenizer : ITokenizer
{
    /// <inheritdoc/>
    public int VocabularySize => 256;

    /// <inheritdoc/>
    public long[] Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => (long)value)];

    /// <inheritdoc/>
    /// <remarks>Bytes that are not UTF-8 become U+FFFD.</remarks>
    /// <exception cref="ArgumentException">A number that is not a byte.</exception>
    public string Decode(IReadOnlyList<long> tokens)
    {
        var bytes = new byte[tokens.Count];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = tokens[i] is >= 0 and <= 255 ? (byte)tokens[i]
                : throw new ArgumentException($"Token {tokens[i]} is not a byte.", nameof(tokens));
        return Encoding.UTF8.GetString(bytes);
    }

    /// <inheritdoc/>
    public SpecialTokens Special => SpecialTokens.None;

    /// <inheritdoc/>
    /// <returns>The ASCII character, or the byte as in <c>&lt;0xE2&gt;</c>.</returns>
    public string Token(long id) =>
        VocabularyIds.Checked(id, VocabularySize) is var value && value is > 32 and < 127 ? ((char)value).ToString()
            : $"<0x{value:X2}>";
}
