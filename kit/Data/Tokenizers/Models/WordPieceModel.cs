using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// Splits a word greedily from its start into the longest tokens (Wu et al., 2016, §4.1,
/// https://arxiv.org/abs/1609.08144).
/// </summary>
internal sealed class WordPieceModel : ITokenModel
{
    private readonly TokenVocabulary vocabulary;
    private readonly string prefix;
    private readonly int longestWord, longestToken, unknown;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="unknown">The token of words that cannot be split into tokens.</param>
    /// <param name="prefix">What tokens begin with that continue a word.</param>
    /// <param name="longestWord">Maximum length of a word in characters; a longer word is unknown.</param>
    public WordPieceModel(TokenVocabulary vocabulary, int unknown, string prefix, int longestWord)
    {
        this.vocabulary = vocabulary;
        this.unknown = unknown;
        this.prefix = prefix;
        this.longestWord = longestWord;
        longestToken = vocabulary.Ids.Keys.Select(token => token.Length).DefaultIfEmpty().Max();
    }

    public static WordPieceModel Read(JsonElement json, TokenVocabulary vocabulary, string name)
    {
        var token = json.Text("unk_token") ?? "[UNK]";
        var unknown = vocabulary.Find(token) is >= 0 and var id ? id
            : throw new InvalidDataException($"{name} lacks the unknown token '{token}' in its vocabulary of "
                + $"{vocabulary.Count} tokens.");
        return new WordPieceModel(vocabulary, unknown, json.Text("continuing_subword_prefix") ?? "##",
            json.Number("max_input_chars_per_word") ?? 100);
    }

    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        var before = ids.Count;
        if (Characters(word) > longestWord || !Split(word, ids))
        {
            ids.RemoveRange(before, ids.Count - before);
            ids.Add(unknown);
        }
    }

    private bool Split(ReadOnlySpan<char> word, List<int> ids)
    {
        Span<char> piece = new char[prefix.Length + Math.Min(longestToken, word.Length)];
        prefix.CopyTo(piece);
        for (var start = 0; start < word.Length;)
        {
            var lead = start > 0 ? prefix.Length : 0;
            var length = Math.Min(longestToken, word.Length - start);
            word.Slice(start, length).CopyTo(piece[lead..]);
            var id = -1;
            while (length > 0 && (id = vocabulary.Find(piece[..(lead + length)])) < 0) length--;
            if (id < 0) return false;
            ids.Add(id);
            start += length;
            prefix.CopyTo(piece);
        }
        return true;
    }

    private static int Characters(ReadOnlySpan<char> word)
    {
        var count = word.Length;
        foreach (var unit in word)
            if (char.IsLowSurrogate(unit)) count--;
        return count;
    }
}

/// <summary>Encodes a word as one token.</summary>
internal sealed class WordLevelModel(JsonElement json, TokenVocabulary vocabulary) : ITokenModel
{
    private readonly int unknown = vocabulary.Find(json.Text("unk_token") ?? "<unk>");

    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        var id = vocabulary.Find(word);
        if (id < 0) id = unknown;
        if (id >= 0) ids.Add(id);
    }
}
