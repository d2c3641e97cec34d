namespace ResearchKit.Tensors;

/// <summary>How often values fall into equal parts of their range.</summary>
/// <remarks>Counted on a strided sample of at most 65,536 elements; of smaller tensors every element is counted.</remarks>
/// <param name="Counts">Number of sampled elements in each part.</param>
/// <param name="Edges">
/// Limits of the parts, ascending, one more than there are parts; the last part holds its upper limit too.
/// </param>
public sealed record TensorHistogram(IReadOnlyList<long> Counts, IReadOnlyList<double> Edges)
{
    /// <summary>Number of parts.</summary>
    public const int Parts = 24;

    /// <summary>Largest sample that is counted.</summary>
    internal const int SampleSize = 65_536;

    /// <summary>The histogram of nothing.</summary>
    internal static TensorHistogram Empty { get; } = new([], []);

    /// <param name="sample">Values; those that are not finite are left out.</param>
    /// <param name="minimum">Smallest finite value of the whole.</param>
    /// <param name="maximum">Largest finite value of the whole.</param>
    internal static TensorHistogram Of(List<double> sample, double minimum, double maximum)
    {
        if (double.IsNaN(minimum)) return Empty;
        var (low, high) = minimum < maximum ? (minimum, maximum) : (minimum - 0.5, maximum + 0.5);
        var half = (high / 2) - (low / 2);   // halves, since the whole range of doubles overflows
        var counts = new long[Parts];
        foreach (var value in sample)
            if (double.IsFinite(value)) counts[Part(((value / 2) - (low / 2)) / half)]++;
        var edges = Enumerable.Range(0, Parts + 1).Select(part => low + (2 * half * ((double)part / Parts)));
        return new TensorHistogram(counts, [.. edges]);
    }

    private static int Part(double share) => share > 0 ? Math.Min(Parts - 1, (int)(share * Parts)) : 0;
}
