using ResearchKit.Data;

namespace ResearchKit.Tasks;

/// <summary>Standard errors over the documents of a task.</summary>
internal static class StandardErrors
{
    private const int Resamples = 1_000;

    /// <summary>Standard error of a mean: the sample's standard deviation (n - 1) by the root of n; null for one value.</summary>
    public static double? OfMean(IReadOnlyList<double> values)
    {
        if (values.Count < 2) return null;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count);
    }

    /// <summary>
    /// Standard error of another statistic: its standard deviation over samples that are drawn from the documents with
    /// replacement (bootstrap), always the same ones. Null for one document.
    /// </summary>
    public static double? Bootstrapped<T>(IReadOnlyList<T> documents, Func<IReadOnlyList<T>, double> statistic)
    {
        if (documents.Count < 2) return null;
        var random = new SplitMix64(0);
        var values = new double[Resamples];
        var drawn = new T[documents.Count];
        for (var sample = 0; sample < Resamples; sample++)
        {
            for (var at = 0; at < drawn.Length; at++) drawn[at] = documents[random.Below(documents.Count)];
            values[sample] = statistic(drawn);
        }
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (Resamples - 1));
    }

    /// <summary>Returns a random number from 0 to one less than <paramref name="count"/>.</summary>
    public static int Below(this ref SplitMix64 random, int count) => (int)Math.BigMul(random.Next(), (ulong)count, out _);
}
