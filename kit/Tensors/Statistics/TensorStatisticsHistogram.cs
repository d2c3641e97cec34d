namespace ResearchKit.Tensors;

/// <summary>Histogram of values, with bins of equal width over their range.</summary>
/// <remarks>
/// Computed from a strided sample of at most 65,536 elements; smaller tensors are counted completely.
/// </remarks>
/// <param name="Counts">Number of sampled elements in each bin.</param>
/// <param name="Edges">Edges of the bins, ascending, one more than there are bins; the last bin includes its
/// upper edge.</param>
public sealed record TensorHistogram(IReadOnlyList<long> Counts, IReadOnlyList<double> Edges)
{
    /// <summary>Number of bins.</summary>
    public const int Parts = 24;

    /// <summary>Largest size of the sample.</summary>
    internal const int SampleSize = 65_536;

    /// <summary>The histogram of a tensor without finite values.</summary>
    internal static TensorHistogram Empty { get; } = new([], []);

    /// <summary>Computes the histogram of a sample.</summary>
    /// <param name="sample">Values; those that are not finite are ignored.</param>
    /// <param name="minimum">Smallest finite value of the whole tensor.</param>
    /// <param name="maximum">Largest finite value of the whole tensor.</param>
    internal static TensorHistogram Of(List<double> sample, double minimum, double maximum)
    {
        if (double.IsNaN(minimum)) return Empty;
        var (low, high) = minimum < maximum ? (minimum, maximum) : (minimum - 0.5, maximum + 0.5);
        var half = (high / 2) - (low / 2);   // half the width, because the full range of doubles overflows
        var counts = new long[Parts];
        foreach (var value in sample)
            if (double.IsFinite(value)) counts[Part(((value / 2) - (low / 2)) / half)]++;
        var edges = Enumerable.Range(0, Parts + 1).Select(part => low + (2 * half * ((double)part / Parts)));
        return new TensorHistogram(counts, [.. edges]);
    }

    private static int Part(double share) => share > 0 ? Math.Min(Parts - 1, (int)(share * Parts)) : 0;
}
