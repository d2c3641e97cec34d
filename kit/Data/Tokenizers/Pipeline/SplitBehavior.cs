namespace ResearchKit.Data;

/// <summary>What becomes of the matches of a pattern when a word is split at them.</summary>
internal enum SplitBehavior
{
    /// <summary>Each match is a part.</summary>
    Isolated,

    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>A match ends the part before it; the next match, if it follows at once, is a part of its own.</summary>
    MergedWithPrevious,

    /// <summary>A match begins the part after it; the match before, if it precedes at once, is a part of its own.</summary>
    MergedWithNext,

    /// <summary>Neighboring matches are one part.</summary>
    Contiguous,
}

/// <summary>Splits words at matches (huggingface/tokenizers, tokenizer/normalizer.rs).</summary>
internal static class WordSplitting
{
    /// <param name="word">The word to split.</param>
    /// <param name="matches">Start and length of each match, in order, not overlapping.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">Whether the matches are the parts, and what is between them counts as the matches.</param>
    /// <param name="parts">Receives the parts.</param>
    public static void Split(Word word, List<(int Start, int Length)> matches, SplitBehavior behavior, bool invert,
        List<Word> parts)
    {
        var segments = Segments(matches, word.Length, invert);
        for (var at = 0; at < segments.Count; at++)
        {
            var (start, end, isMatch) = segments[at];
            if (behavior == SplitBehavior.Removed && isMatch) continue;
            while (at + 1 < segments.Count && Joined(segments, at, behavior)) end = segments[++at].End;
            parts.Add(word.Part(start, end - start));
        }
    }

    /// <summary>Returns whether a segment and the next one are the same part.</summary>
    private static bool Joined(List<(int Start, int End, bool IsMatch)> segments, int at, SplitBehavior behavior) =>
        behavior switch
        {
            SplitBehavior.Contiguous => segments[at].IsMatch == segments[at + 1].IsMatch,
            SplitBehavior.MergedWithPrevious => segments[at + 1].IsMatch && !segments[at].IsMatch,
            SplitBehavior.MergedWithNext => segments[at].IsMatch && !segments[at + 1].IsMatch,
            _ => false,
        };

    private static List<(int Start, int End, bool IsMatch)> Segments(List<(int Start, int Length)> matches, int length,
        bool invert)
    {
        var result = new List<(int, int, bool)>((2 * matches.Count) + 1);
        var at = 0;
        foreach (var match in matches)
        {
            if (match.Start > at) result.Add((at, match.Start, invert));
            at = match.Start + match.Length;
            result.Add((match.Start, at, !invert));
        }
        if (length > at) result.Add((at, length, invert));
        return result;
    }
}
