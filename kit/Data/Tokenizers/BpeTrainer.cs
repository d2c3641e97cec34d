using System.Text;

namespace ResearchKit.Data;

/// <summary>
/// Trains a byte-level byte-pair encoding: repeatedly merges the most frequent pair of adjacent tokens into a
/// new token.
/// </summary>
/// <remarks>
/// Sennrich et al., 2016, https://arxiv.org/abs/1508.07909; Radford et al., 2019. Pairs are counted within the words of
/// <see cref="ByteLevelBpeTokenizer.Words"/>.
/// </remarks>
public static class BpeTrainer
{
    private const string EndOfText = "<|endoftext|>";

    /// <param name="texts">The corpus.</param>
    /// <param name="vocabularySize">
    /// Maximum number of tokens: 256 bytes, the merges, and &lt;|endoftext|&gt; as the last.
    /// </param>
    /// <param name="minimumCount">Pairs with a lower count are not merged.</param>
    /// <param name="progress">Receives the number of merges after each merge.</param>
    /// <returns>
    /// The tokenizer. Training is deterministic: among equally frequent pairs, the one with the lower token ids is
    /// merged first.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The vocabulary has fewer than 257 tokens, or the minimum count is below 1.
    /// </exception>
    public static ByteLevelBpeTokenizer Train(IEnumerable<string> texts, int vocabularySize, int minimumCount = 2,
        IProgress<int>? progress = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 257);
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumCount, 1);
        var tokens = Bytes();
        var ids = tokens.Select((token, id) => (token, id))
            .ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
        var corpus = new PairCorpus(Words(texts, ids));
        var merges = new List<(string, string)>();
        while (tokens.Count < vocabularySize - 1 && corpus.Commonest(minimumCount) is { } pair)
        {
            merges.Add((tokens[pair.Left], tokens[pair.Right]));
            var merged = tokens[pair.Left] + tokens[pair.Right];
            // otherwise other merges have already produced this token
            if (ids.TryAdd(merged, tokens.Count)) tokens.Add(merged);
            corpus.Merge(pair, ids[merged]);
            progress?.Report(merges.Count);
        }
        ids.TryAdd(EndOfText, tokens.Count);
        return new ByteLevelBpeTokenizer(ids, merges, EndOfText);
    }

    /// <summary>Returns the byte symbols in GPT-2's order: printable bytes first.</summary>
    private static List<string> Bytes() => [.. ByteSymbols.All.ToArray().Order().Select(symbol => symbol.ToString())];

    private static List<(int[] Tokens, long Count)> Words(IEnumerable<string> texts, Dictionary<string, int> ids)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            WellFormed.Check(text);
            foreach (var word in Gpt2Words.Split(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
        }
        return [.. counts.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => (ByteSymbols.Write(Encoding.UTF8.GetBytes(entry.Key)).Select(symbol => ids[symbol.ToString()])
                .ToArray(), entry.Value))];
    }
}

/// <summary>Words as token sequences, with the count of each pair of adjacent tokens.</summary>
internal sealed class PairCorpus
{
    private readonly List<(int[] Tokens, long Count)> words;
    private readonly Dictionary<(int Left, int Right), long> counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> places = [];
    private readonly PriorityQueue<((int Left, int Right) Pair, long Count), (long, int, int)> queue = new();

    public PairCorpus(List<(int[] Tokens, long Count)> words)
    {
        this.words = words;
        for (var word = 0; word < words.Count; word++) Count(word, 1, null);
        foreach (var pair in counts.Keys) Enqueue(pair);
    }

    /// <summary>Returns the most frequent pair; null if no pair reaches the minimum count.</summary>
    public (int Left, int Right)? Commonest(int minimum)
    {
        while (queue.TryDequeue(out var entry, out _))
        {
            var count = counts.GetValueOrDefault(entry.Pair);
            // otherwise the entry is stale: the pair was queued again with its new count
            if (count == entry.Count) return count >= minimum ? entry.Pair : null;
        }
        return null;
    }

    public void Merge((int Left, int Right) pair, int merged)
    {
        var changed = new HashSet<(int, int)>();
        foreach (var word in places[pair].Order().ToList())
        {
            Count(word, -1, changed);
            words[word] = (Merged(words[word].Tokens, pair, merged), words[word].Count);
            Count(word, 1, changed);
        }
        foreach (var other in changed)
            if (counts.GetValueOrDefault(other) > 0) Enqueue(other);
    }

    private static int[] Merged(int[] tokens, (int Left, int Right) pair, int merged)
    {
        var result = new List<int>(tokens.Length);
        for (var at = 0; at < tokens.Length; at++)
        {
            var found = at + 1 < tokens.Length && tokens[at] == pair.Left && tokens[at + 1] == pair.Right;
            result.Add(found ? merged : tokens[at]);
            if (found) at++;
        }
        return [.. result];
    }

    private void Count(int word, int sign, HashSet<(int, int)>? changed)
    {
        var (tokens, count) = words[word];
        for (var at = 1; at < tokens.Length; at++)
        {
            var pair = (tokens[at - 1], tokens[at]);
            counts[pair] = counts.GetValueOrDefault(pair) + (sign * count);
            if (!places.TryGetValue(pair, out var found)) places[pair] = found = [];
            if (sign > 0) found.Add(word);
            else found.Remove(word);
            changed?.Add(pair);
        }
    }

    private void Enqueue((int Left, int Right) pair) =>
        queue.Enqueue((pair, counts[pair]), (-counts[pair], pair.Left, pair.Right));
}
