namespace ResearchKit.Metrics;

/// <summary>The edit distance between two sequences, and the error rate of many.</summary>
public static class EditDistance
{
    /// <summary>
    /// Counts the fewest insertions, deletions and substitutions of one symbol that turn one sequence into the other.
    /// </summary>
    /// <typeparam name="T">A symbol: a character, a word, a phoneme, a token id.</typeparam>
    /// <param name="predicted">One sequence.</param>
    /// <param name="target">The other sequence.</param>
    /// <remarks>Levenshtein, 1966; row by row as in Wagner and Fischer, 1974.</remarks>
    public static int Between<T>(IReadOnlyList<T> predicted, IReadOnlyList<T> target)
    {
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(target);
        var row = Enumerable.Range(0, target.Count + 1).ToArray();
        for (var i = 1; i <= predicted.Count; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= target.Count; j++)
            {
                var substitution = diagonal + (EqualityComparer<T>.Default.Equals(predicted[i - 1], target[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, substitution);
            }
        }
        return row[^1];
    }

    /// <summary>
    /// Divides the edits of all pairs by the symbols of all targets: the word, phoneme or character error rate.
    /// </summary>
    /// <typeparam name="T">A symbol: a character, a word, a phoneme, a token id.</typeparam>
    /// <param name="predicted">Predicted sequences.</param>
    /// <param name="target">Target sequences, one for each predicted one.</param>
    /// <returns>At least 0; above 1 where predictions are much longer than their targets.</returns>
    /// <exception cref="ArgumentException">The numbers of sequences differ, or the targets have no symbol.</exception>
    public static double Rate<T>(IReadOnlyList<IReadOnlyList<T>> predicted, IReadOnlyList<IReadOnlyList<T>> target)
    {
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(target);
        if (predicted.Count != target.Count)
            throw new ArgumentException($"Got {predicted.Count} predicted and {target.Count} target sequences; expected as "
                + "many of each.", nameof(predicted));
        var symbols = target.Sum(sequence => (long)sequence.Count);
        if (symbols == 0) throw new ArgumentException("The target sequences have no symbol.", nameof(target));
        return predicted.Zip(target, Between).Sum(edits => (double)edits) / symbols;
    }
}
