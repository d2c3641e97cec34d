using System.Text;
using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Byte-pair encoding as in <c>tokenizer.json</c> (huggingface/tokenizers, models/bpe).</summary>
/// <remarks>Sennrich et al., 2016, https://arxiv.org/abs/1508.07909. Dropout is a means of training and left out.</remarks>
internal sealed class BytePairModel : ITokenModel
{
    private readonly TokenVocabulary vocabulary;
    private readonly Dictionary<long, (int Rank, int Id)> merges;
    private readonly string prefix = "", suffix = "";
    private readonly int unknown = -1;
    private readonly bool fuseUnknown, byteFallback, ignoreMerges;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">
    /// Ids of two tokens, the id of the token that they become, and the merge's priority; lower numbers come first.
    /// </param>
    /// <param name="ignoreMerges">Whether a word that is itself a token is not merged from its characters.</param>
    public BytePairModel(TokenVocabulary vocabulary, IEnumerable<(int Left, int Right, int Id, int Rank)> merges,
        bool ignoreMerges)
    {
        this.vocabulary = vocabulary;
        this.ignoreMerges = ignoreMerges;
        this.merges = [];
        foreach (var (left, right, id, rank) in merges) this.merges[Pair(left, right)] = (rank, id);
    }

    public BytePairModel(JsonElement json, TokenVocabulary vocabulary, string name)
    {
        this.vocabulary = vocabulary;
        prefix = json.Text("continuing_subword_prefix") ?? "";
        suffix = json.Text("end_of_word_suffix") ?? "";
        fuseUnknown = json.Flag("fuse_unk") ?? false;
        byteFallback = json.Flag("byte_fallback") ?? false;
        ignoreMerges = json.Flag("ignore_merges") ?? false;
        if (json.Text("unk_token") is { } token) unknown = vocabulary.Find(token);
        merges = [];
        var rank = 0;
        foreach (var merge in json.Items("merges"))
        {
            string[] pair = merge.ValueKind == JsonValueKind.String ? merge.GetString()!.Split(' ')
                : [.. merge.EnumerateArray().Select(part => part.GetString() ?? "")];
            if (pair.Length != 2)
                throw new InvalidDataException($"{name} has a merge number {rank} '{string.Join(' ', pair)}'; expected two "
                    + "tokens.");
            var whole = pair[0] + (pair[1].StartsWith(prefix, StringComparison.Ordinal) ? pair[1][prefix.Length..] : pair[1]);
            var (left, right, id) = (vocabulary.Find(pair[0]), vocabulary.Find(pair[1]), vocabulary.Find(whole));
            if (left < 0 || right < 0 || id < 0)
                throw new InvalidDataException($"{name} has a merge number {rank} '{pair[0]} {pair[1]}' that needs both "
                    + "tokens and "
                    + $"'{whole}' in the vocabulary of {vocabulary.Count} tokens.");
            merges[Pair(left, right)] = (rank++, id);
        }
    }

    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        if (word.IsEmpty) return;
        if (ignoreMerges && vocabulary.Find(word) is >= 0 and var whole)
        {
            ids.Add(whole);
            return;
        }
        var symbols = Symbols(word);
        if (symbols.Count > 1) Merge(symbols);
        else ids.AddRange(symbols);
        if (symbols.Count <= 1) return;
        foreach (var id in symbols)
            if (id >= 0) ids.Add(id);
    }

    private List<int> Symbols(ReadOnlySpan<char> word)
    {
        var symbols = new List<int>(word.Length);
        var afterUnknown = false;
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word[at..], out _, out var length);
            var character = word.Slice(at, length);
            var id = Find(character, at > 0, at + length == word.Length);
            at += length;
            if (id >= 0) symbols.Add(id);
            else if (!(byteFallback && vocabulary.AddBytes(character, symbols)) && unknown >= 0)
            {
                if (!(fuseUnknown && afterUnknown)) symbols.Add(unknown);
                afterUnknown = true;
                continue;
            }
            afterUnknown = false;
        }
        return symbols;
    }

    private int Find(ReadOnlySpan<char> character, bool continues, bool ends)
    {
        var first = continues ? prefix : "";
        var last = ends ? suffix : "";
        return first.Length + last.Length == 0 ? vocabulary.Find(character) : vocabulary.Find($"{first}{character}{last}");
    }

    /// <summary>Merges pairs in order of priority; symbols that became part of another are set to -1.</summary>
    private void Merge(List<int> symbols)
    {
        var next = new int[symbols.Count];
        var previous = new int[symbols.Count];
        var queue = new PriorityQueue<(int Left, int Id), (int Rank, int Left)>();
        for (var at = 0; at < symbols.Count; at++)
        {
            next[at] = at + 1;
            previous[at] = at - 1;
            if (at > 0) Consider(at - 1, at);
        }
        while (queue.TryDequeue(out var merge, out _))
        {
            var left = merge.Left;
            var right = next[left];
            if (symbols[left] < 0 || right >= symbols.Count
                || !merges.TryGetValue(Pair(symbols[left], symbols[right]), out var known)
                || known.Id != merge.Id) continue;
            symbols[left] = merge.Id;
            symbols[right] = -1;
            next[left] = next[right];
            if (next[left] < symbols.Count)
            {
                previous[next[left]] = left;
                Consider(left, next[left]);
            }
            if (previous[left] >= 0) Consider(previous[left], left);
        }

        void Consider(int left, int right)
        {
            if (merges.TryGetValue(Pair(symbols[left], symbols[right]), out var found))
                queue.Enqueue((left, found.Id), (found.Rank, left));
        }
    }

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;
}
