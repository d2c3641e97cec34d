using System.Text;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>The added tokens of a tokenizer, found in texts (huggingface/tokenizers, tokenizer/added_vocabulary.rs).</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken> byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> byId = [];
    private readonly AddedTokenFinder original, normalized;
    private readonly Func<string, string> normalize;

    /// <param name="tokens">The tokens; of two with the same content, the last counts.</param>
    /// <param name="normalize">The tokenizer's normalizer; null if it has none.</param>
    public AddedTokens(IEnumerable<AddedToken> tokens, Func<string, string>? normalize = null)
    {
        this.normalize = normalize ?? (text => text);
        foreach (var token in tokens)
        {
            byContent[token.Content] = token;
            byId[token.Id] = token;
        }
        All = [.. byContent.Values];
        original = new AddedTokenFinder(All.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        normalized = new AddedTokenFinder(All.Where(token => token.IsNormalized)
            .Select(token => (this.normalize(token.Content), token)));
    }

    public IReadOnlyList<AddedToken> All { get; }

    /// <summary>One token of each id, also those with the content of a later one.</summary>
    public IEnumerable<AddedToken> OfIds => byId.Values;

    public AddedToken? Find(string content) => byContent.GetValueOrDefault(content);

    public AddedToken? Find(int id) => byId.GetValueOrDefault(id);

    /// <summary>Splits a text into added tokens and normalized text between them.</summary>
    public IEnumerable<(Word Text, AddedToken? Token)> Split(string text)
    {
        foreach (var (part, start, token) in original.Split(text))
        {
            if (token is not null) yield return (default, token);
            else
                foreach (var (normal, at, inner) in normalized.Split(normalize(part)))
                    yield return (new Word(normal, start == 0 && at == 0), inner);
        }
    }
}

/// <summary>Finds tokens in a text: at each place the longest, from the left.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<(int Node, char Next), int> children = [];
    private readonly List<AddedToken?> ends = [null];
    private readonly System.Buffers.SearchValues<char> first;

    public AddedTokenFinder(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var starts = new HashSet<char>();
        foreach (var (text, token) in tokens.Where(entry => entry.Text.Length > 0))
        {
            starts.Add(text[0]);
            var node = 0;
            foreach (var unit in text)
            {
                if (!children.TryGetValue((node, unit), out var child))
                {
                    child = children[(node, unit)] = ends.Count;
                    ends.Add(null);
                }
                node = child;
            }
            ends[node] ??= token;
        }
        first = System.Buffers.SearchValues.Create([.. starts]);
    }

    /// <summary>Splits a text into tokens and what is between them, with the index of each part; no part is empty.</summary>
    public IEnumerable<(string Part, int Start, AddedToken? Token)> Split(string text)
    {
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            var next = text.AsSpan(at).IndexOfAny(first);
            if (next < 0) break;
            at += next;
            var (token, length) = Longest(text, at);
            if (token is null)
            {
                at++;
                continue;
            }
            var (start, end) = (at, at + length);
            at = end;
            if (token.IsWholeWord && (EndsInWord(text.AsSpan(0, start)) || BeginsWithWord(text.AsSpan(end)))) continue;
            if (token.TakesSpaceBefore) while (start > done && CodePoints.IsWhiteSpace(text[start - 1])) start--;
            if (token.TakesSpaceAfter) while (end < text.Length && CodePoints.IsWhiteSpace(text[end])) end++;
            if (start > done) yield return (text[done..start], done, null);
            yield return (text[start..end], start, token);
            done = at = end;
        }
        if (done < text.Length) yield return (done == 0 ? text : text[done..], done, null);
    }

    private (AddedToken? Token, int Length) Longest(string text, int start)
    {
        var (node, length) = (0, 0);
        AddedToken? token = null;
        for (var at = start; at < text.Length && children.TryGetValue((node, text[at]), out node); at++)
            if (ends[node] is { } found) (token, length) = (found, at + 1 - start);
        return (token, length);
    }

    private static bool EndsInWord(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return false;
        Rune.DecodeLastFromUtf16(text, out var rune, out _);
        return CodePoints.IsWordCharacter(rune.Value);
    }

    private static bool BeginsWithWord(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return false;
        Rune.DecodeFromUtf16(text, out var rune, out _);
        return CodePoints.IsWordCharacter(rune.Value);
    }
}
