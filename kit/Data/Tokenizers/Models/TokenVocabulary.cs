using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Token ids by token, and back. Where a token or an id occurs twice, the last entry counts.</summary>
internal sealed class TokenVocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup;
    private readonly int[]? bytes;

    public TokenVocabulary(IEnumerable<(string Token, int Id)> entries, string name)
    {
        ids = new(StringComparer.Ordinal);
        lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (token, id) in entries)
            ids[token] = id >= 0
                ? id : throw new InvalidDataException($"{name} gives the token '{token}' the id {id}; expected 0 or more.");
        bytes = [.. Enumerable.Range(0, 256).Select(value => ids.GetValueOrDefault($"<0x{value:X2}>", -1))];
        if (Array.TrueForAll(bytes, id => id < 0)) bytes = null;
    }

    public IReadOnlyDictionary<string, int> Ids => ids;

    public int Count => ids.Count;

    /// <summary>Returns the id of a token, or -1.</summary>
    public int Find(ReadOnlySpan<char> token) => lookup.TryGetValue(token, out var id) ? id : -1;

    /// <summary>Adds the tokens &lt;0x00&gt; to &lt;0xFF&gt; of a character's UTF-8.</summary>
    /// <returns>Whether the vocabulary has all of them; otherwise nothing is added.</returns>
    public bool AddBytes(ReadOnlySpan<char> text, List<int> found)
    {
        if (bytes is null) return false;
        Span<byte> values = new byte[System.Text.Encoding.UTF8.GetMaxByteCount(text.Length)];
        values = values[..System.Text.Encoding.UTF8.GetBytes(text, values)];
        foreach (var value in values)
            if (bytes[value] < 0) return false;
        foreach (var value in values) found.Add(bytes[value]);
        return true;
    }

    public static TokenVocabulary Read(JsonElement model, string name)
    {
        var vocabulary = model.Child("vocab") ?? throw new FormatException("The model lacks 'vocab'.");
        return new TokenVocabulary(vocabulary.EnumerateObject().Select(entry => (entry.Name, entry.Value.GetInt32())), name);
    }
}
