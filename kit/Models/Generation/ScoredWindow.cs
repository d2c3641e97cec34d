namespace ResearchKit.Models;

/// <summary>Tokens that a model reads, and the tokens to score after the last of them.</summary>
/// <param name="Input">The tokens that are read.</param>
/// <param name="Targets">The token after each of the last inputs; at most as many as there are inputs.</param>
internal sealed record ScoredWindow(long[] Input, long[] Targets)
{
    /// <summary>Index of the input whose next token is scored first.</summary>
    public int Start => Input.Length - Targets.Length;

    /// <summary>Cuts a text into windows that score each token but the first one once.</summary>
    /// <param name="tokens">The text; its first token is read only.</param>
    /// <param name="length">Maximum number of inputs of a window.</param>
    /// <param name="stride">Number of targets of each window after the first.</param>
    public static IEnumerable<ScoredWindow> Rolling(IReadOnlyList<long> tokens, int length, int stride)
    {
        var whole = tokens.ToArray();
        for (var scored = 1; scored < whole.Length;)
        {
            var end = Math.Min(whole.Length, scored + (scored == 1 ? length : stride));   // one behind the last target
            yield return new ScoredWindow(whole[Math.Max(0, end - 1 - length)..(end - 1)], whole[scored..end]);
            scored = end;
        }
    }
}
