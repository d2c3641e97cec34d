namespace ResearchKit.Training;

/// <summary>How far a text that a model says is from the text it should say.</summary>
public static class EditDistance
{
    /// <summary>The fewest insertions, deletions and replacements of one symbol that lead from one text to the other.</summary>
    /// <typeparam name="T">What a symbol is.</typeparam>
    /// <param name="said">One text.</param>
    /// <param name="wanted">The other.</param>
    /// <remarks>Levenshtein, 1966; by the rows of Wagner and Fischer, 1974.</remarks>
    public static int Between<T>(IReadOnlyList<T> said, IReadOnlyList<T> wanted)
    {
        ArgumentNullException.ThrowIfNull(said);
        ArgumentNullException.ThrowIfNull(wanted);
        var row = Enumerable.Range(0, wanted.Count + 1).ToArray();
        for (var i = 1; i <= said.Count; i++)
        {
            var (corner, left) = (row[0], row[0] = i);
            for (var j = 1; j <= wanted.Count; j++)
            {
                var change = Math.Min(Math.Min(row[j], left) + 1, corner + (EqualityComparer<T>.Default.Equals(said[i - 1], wanted[j - 1]) ? 0 : 1));
                (corner, row[j], left) = (row[j], change, change);
            }
        }
        return row[^1];
    }

    /// <summary>Edits over symbols that were wanted: word, phoneme or character error rate, by what a symbol is. It can be above 1.</summary>
    /// <typeparam name="T">What a symbol is.</typeparam>
    /// <param name="said">What a model says, text by text.</param>
    /// <param name="wanted">What it should say, as many.</param>
    /// <exception cref="ArgumentException">Not as many texts said as wanted, or nothing is wanted.</exception>
    public static double Rate<T>(IReadOnlyList<IReadOnlyList<T>> said, IReadOnlyList<IReadOnlyList<T>> wanted)
    {
        ArgumentNullException.ThrowIfNull(said);
        ArgumentNullException.ThrowIfNull(wanted);
        if (said.Count != wanted.Count) throw new ArgumentException($"Got {said.Count} texts said and {wanted.Count} wanted; expected as many of each.", nameof(said));
        var symbols = wanted.Sum(text => (long)text.Count);
        if (symbols == 0) throw new ArgumentException("The texts that are wanted hold no symbol.", nameof(wanted));
        return said.Zip(wanted, Between).Sum(edits => (double)edits) / symbols;
    }
}
