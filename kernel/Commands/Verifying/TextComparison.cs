namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>Two texts side by side, line by line, what is volatile masked and numbers as numbers.</summary>
/// <param name="Lines">The first lines that differ.</param>
/// <param name="Differing">How many lines differ.</param>
/// <param name="Largest">The numbers that are furthest apart, in lines that differ in nothing but numbers.</param>
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
/// <param name="Number">Its number, from 1.</param>
/// <param name="Committed">The line in the file, what is volatile masked; null where it ends before.</param>
/// <param name="Now">The line of this run; null where it ends before.</param>
internal sealed record LineDifference(int Number, string? Committed, string? Now);
