namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// The words of a corpus with all their segmentations into the remaining pieces, and the probabilities of the
/// pieces.
/// </summary>
internal sealed class UnigramCorpus
{
    private readonly List<(Edge[] Edges, int Length, long Count)> words = [];
    private readonly List<string> texts = [];
    // segmentations of each piece into pieces, including itself
    private readonly List<(Edge[] Edges, int Length)> spellings = [];
    private double[] logs;

    /// <param name="corpus">Texts; words are separated by white space.</param>
    /// <param name="seeds">
    /// Number of initial pieces besides the characters: the substrings with the largest product of count and
    /// length.
    /// </param>
    /// <param name="longest">Maximum length of a piece in characters.</param>
    public UnigramCorpus(IEnumerable<string> corpus, int seeds, int longest)
    {
        var counts = Words(corpus);
        var substrings = Substrings(counts, longest);
        var characters = substrings.Where(entry => entry.Value.Length == 1)
            .OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList();
        var longer = substrings.Where(entry => entry.Value.Length > 1 && entry.Value.Count > 1)
            .OrderByDescending(entry => entry.Value.Count * entry.Value.Length)
            .ThenBy(entry => entry.Key, StringComparer.Ordinal).Take(seeds);
        if (characters.Count == 0)
            throw new ArgumentException("The texts contain no word; expected at least one.", nameof(corpus));
        Characters = characters.Count;
        var chosen = characters.Concat(longer).ToList();
        texts.AddRange(chosen.Select(entry => entry.Key));
        var total = chosen.Sum(entry => (double)entry.Value.Count);
        logs = [.. chosen.Select(entry => Math.Log(entry.Value.Count / total))];
        var ids = texts.Select((text, id) => (text, id)).ToDictionary(pair => pair.text, pair => pair.id, StringComparer.Ordinal);
        foreach (var (word, count) in counts.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var (edges, length) = Edges(word, ids, longest);
            words.Add((edges, length, count));
        }
        spellings.AddRange(texts.Select(text => Edges(text, ids, longest)));
    }

    /// <summary>Number of distinct characters; they are the first pieces and are never dropped.</summary>
    public int Characters { get; }

    /// <summary>Number of remaining pieces.</summary>
    public int Count => texts.Count;

    /// <summary>Returns the pieces and their log-probabilities.</summary>
    public IEnumerable<(string Text, double Score)> Scores() =>
        texts.Zip(logs, (text, score) => (text, Math.Max(score, Least())));

    /// <summary>Runs one step of expectation maximization (EM).</summary>
    /// <returns>
    /// Log-likelihood of the corpus before the step; it never decreases from step to step unless pieces are
    /// dropped.
    /// </returns>
    public double Step()
    {
        var expected = new double[Count];
        var likelihood = 0.0;
        foreach (var (edges, length, count) in words) likelihood += count * Expect(edges, length, count, expected);
        var total = Math.Log(expected.Sum());
        logs = [.. expected.Select(value => Math.Log(value) - total)];
        return likelihood;
    }

    /// <summary>
    /// Drops the pieces whose removal reduces the likelihood of the best segmentations least, until
    /// <paramref name="left"/> remain.
    /// </summary>
    public void Prune(int left)
    {
        var used = new double[Count];
        foreach (var (edges, length, count) in words)
            foreach (var piece in Best(edges, length, without: -1).Pieces) used[piece] += count;
        var loss = Enumerable.Range(0, Count).Select(piece => piece < Characters ? double.PositiveInfinity
            : used[piece] == 0 ? 0 : used[piece]
                * (logs[piece] - Best(spellings[piece].Edges, spellings[piece].Length, piece).Score)).ToArray();
        var kept = Enumerable.Range(0, Count).OrderByDescending(piece => loss[piece]).ThenBy(piece => piece)
            .Take(left).Order().ToArray();
        Keep(kept);
    }

    private void Keep(int[] kept)
    {
        var renamed = Enumerable.Repeat(-1, Count).ToArray();
        for (var piece = 0; piece < kept.Length; piece++) renamed[kept[piece]] = piece;
        // a character of probability 0 is needed again once the pieces that contain it are dropped
        var least = Least();
        logs = [.. kept.Select(piece => piece < Characters ? Math.Max(logs[piece], least) : logs[piece])];
        (string[] keptTexts, (Edge[], int)[] keptSpellings) = ([.. kept.Select(piece => texts[piece])],
            [.. kept.Select(piece => (Renamed(spellings[piece].Edges), spellings[piece].Length))]);
        texts.Clear();
        texts.AddRange(keptTexts);
        spellings.Clear();
        spellings.AddRange(keptSpellings);
        for (var word = 0; word < words.Count; word++) words[word] = words[word] with { Edges = Renamed(words[word].Edges) };

        Edge[] Renamed(Edge[] edges) =>
            [.. edges.Where(edge => renamed[edge.Piece] >= 0).Select(edge => edge with { Piece = renamed[edge.Piece] })];
    }

    private double Least() => logs.Where(double.IsFinite).Min() - 1;

    /// <summary>
    /// Adds the expected count of each piece in a word, by the forward and backward sums over all segmentations.
    /// </summary>
    private double Expect(Edge[] edges, int length, long count, double[] expected)
    {
        Span<double> forward = length < 256 ? stackalloc double[length + 1] : new double[length + 1];
        Span<double> backward = length < 256 ? stackalloc double[length + 1] : new double[length + 1];
        forward.Fill(double.NegativeInfinity);
        backward.Fill(double.NegativeInfinity);
        forward[0] = 0;
        backward[length] = 0;
        foreach (var edge in edges) forward[edge.End] = Add(forward[edge.End], forward[edge.Start] + logs[edge.Piece]);
        for (var at = edges.Length - 1; at >= 0; at--)
            backward[edges[at].Start] = Add(backward[edges[at].Start], backward[edges[at].End] + logs[edges[at].Piece]);
        foreach (var edge in edges)
        {
            var share = forward[edge.Start] + logs[edge.Piece] + backward[edge.End] - forward[length];
            if (share > -700) expected[edge.Piece] += count * Math.Exp(share);
        }
        return forward[length];
    }

    /// <summary>
    /// Returns the most probable segmentation of a text that does not use the piece <paramref name="without"/>.
    /// </summary>
    private (double Score, List<int> Pieces) Best(Edge[] edges, int length, int without)
    {
        var scores = new double[length + 1];
        var last = new Edge[length + 1];
        Array.Fill(scores, double.NegativeInfinity);
        scores[0] = 0;
        foreach (var edge in edges)
        {
            var score = scores[edge.Start] + logs[edge.Piece];
            if (edge.Piece != without && score > scores[edge.End])
            {
                scores[edge.End] = score;
                last[edge.End] = edge;
            }
        }
        var pieces = new List<int>();
        if (double.IsFinite(scores[length]))
            for (var at = length; at > 0; at = last[at].Start) pieces.Add(last[at].Piece);
        return (scores[length], pieces);
    }

    private static double Add(double one, double other) =>
        double.IsNegativeInfinity(one) ? other : double.IsNegativeInfinity(other) ? one
        : Math.Max(one, other) + Math.Log(1 + Math.Exp(-Math.Abs(one - other)));

    private static Dictionary<string, long> Words(IEnumerable<string> corpus)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var text in corpus)
        {
            WellFormed.Check(text);
            foreach (var word in text.Split((char[])[' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))
                counts["\u2581" + word] = counts.GetValueOrDefault("\u2581" + word) + 1;
        }
        return counts;
    }

    private static Dictionary<string, (long Count, int Length)> Substrings(Dictionary<string, long> words, int longest)
    {
        var found = new Dictionary<string, (long Count, int Length)>(StringComparer.Ordinal);
        foreach (var (word, count) in words)
        {
            var bounds = Bounds(word);
            for (var start = 0; start < bounds.Count - 1; start++)
                for (var end = start + 1; end < bounds.Count && end - start <= longest; end++)
                {
                    var text = word[bounds[start]..bounds[end]];
                    found[text] = (found.GetValueOrDefault(text).Count + count, end - start);
                }
        }
        return found;
    }

    /// <summary>Finds the occurrences of pieces in a text, ordered by their end and then by their start.</summary>
    private static (Edge[] Edges, int Length) Edges(string text, Dictionary<string, int> ids, int longest)
    {
        var bounds = Bounds(text);
        var edges = new List<Edge>();
        for (var end = 1; end < bounds.Count; end++)
            for (var start = Math.Max(0, end - longest); start < end; start++)
                if (ids.TryGetValue(text[bounds[start]..bounds[end]], out var piece)) edges.Add(new Edge(start, end, piece));
        return ([.. edges], bounds.Count - 1);
    }

    private static List<int> Bounds(string text)
    {
        var bounds = new List<int>(text.Length + 1) { 0 };
        foreach (var rune in text.EnumerateRunes()) bounds.Add(bounds[^1] + rune.Utf16SequenceLength);
        return bounds;
    }

    /// <summary>An occurrence of a piece in a text; start and end are in characters.</summary>
    private readonly record struct Edge(int Start, int End, int Piece);
}
