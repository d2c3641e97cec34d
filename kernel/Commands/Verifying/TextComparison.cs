namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>
/// The line-by-line comparison of two texts. Volatile text is masked, and numbers are compared by value.
/// </summary>
/// <param name="Lines">The first few lines that differ.</param>
/// <param name="Differing">How many lines differ.</param>
/// <param name="Largest">
/// The pair of numbers with the largest relative difference, in lines whose words agree.
/// </param>
internal sealed record TextComparison(IReadOnlyList<LineDifference> Lines, int Differing, NumberDifference? Largest)
{
    private const int Shown = 3;

    public static TextComparison Of(string committed, string now, Tolerance tolerance)
    {
        var (shown, before, after) = (new List<LineDifference>(), LinesOf(committed), LinesOf(now));
        var (differing, largest) = (0, (NumberDifference?)null);
        for (var i = 0; i < Math.Max(before.Length, after.Length); i++)
        {
            var (one, other) = (before.ElementAtOrDefault(i), after.ElementAtOrDefault(i));
            if (one is not null && other is not null && IsSame(one, other, tolerance, ref largest)) continue;
            if (++differing <= Shown) shown.Add(new LineDifference(i + 1, one, other));
        }
        return new TextComparison(shown, differing, largest);
    }

    private static bool IsSame(string committed, string now, Tolerance tolerance, ref NumberDifference? largest)
    {
        var ((words, numbers), (otherWords, otherNumbers)) = (ShownNumber.Split(committed), ShownNumber.Split(now));
        if (words != otherWords || numbers.Count != otherNumbers.Count) return false;
        foreach (var (number, other) in numbers.Zip(otherNumbers))
            largest = NumberDifference.Larger(largest, new NumberDifference(number, other));
        return numbers.Zip(otherNumbers).All(pair => tolerance.Allows(pair.First, pair.Second));
    }

    private static string[] LinesOf(string text) => VolatileText.Masked(text.ReplaceLineEndings("\n").TrimEnd()).Split('\n');
}

/// <summary>A line that differs.</summary>
/// <param name="Number">The line number, from 1.</param>
/// <param name="Committed">
/// The committed line with volatile text masked; null if the committed text has fewer lines.
/// </param>
/// <param name="Now">The line of this run with volatile text masked; null if its text has fewer lines.</param>
internal sealed record LineDifference(int Number, string? Committed, string? Now);
