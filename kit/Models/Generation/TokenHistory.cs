namespace ResearchKit.Models;

/// <summary>The tokens of one text so far, as the rules against repetition need them.</summary>
/// <param name="prompt">Tokens of the prompt, without padding.</param>
internal sealed class TokenHistory(IEnumerable<long> prompt)
{
    private readonly List<long> tokens = [.. prompt];
    private readonly List<long> written = [];
    private readonly Dictionary<long, int> counts = [];
    private HashSet<long>? seen;

    /// <summary>The new tokens.</summary>
    public IReadOnlyList<long> Written => written;

    /// <summary>How often each token occurs in the new text.</summary>
    public IReadOnlyDictionary<long, int> Counts => counts;

    /// <summary>The different tokens of prompt and new text.</summary>
    public IReadOnlyCollection<long> Seen => seen ??= [.. tokens];

    public void Add(long token)
    {
        tokens.Add(token);
        written.Add(token);
        counts[token] = counts.GetValueOrDefault(token) + 1;
        seen?.Add(token);
    }

    /// <summary>The tokens that would repeat a sequence of <paramref name="length"/> tokens.</summary>
    public IReadOnlyCollection<long> Repeating(int length)
    {
        var last = tokens.Count - (length - 1);   // where the sequence begins that the next token would end
        var found = new HashSet<long>();
        for (var start = 0; start < last; start++)
        {
            var same = 0;
            while (same < length - 1 && tokens[start + same] == tokens[last + same]) same++;
            if (same == length - 1) found.Add(tokens[start + same]);
        }
        return found;
    }
}
