namespace ResearchKit.Optimizers;

/// <summary>The 256 numbers that a byte stands for in a dynamic tree: seven powers of ten, the finer the larger.</summary>
/// <remarks>
/// Dettmers, 2016, https://arxiv.org/abs/1511.04561, and Dettmers et al., 2022, https://arxiv.org/abs/2110.02861. Under each
/// power of ten the numbers are the middles of equal parts of [0.1, 1]: 1, 2, 4, … 64 parts with a sign, twice as many without. 0
/// and 1 are exact. So a number's code is the part that it lies in, which <see cref="AdamW8bit"/> computes.
/// </remarks>
internal static class DynamicCode
{
    private const int Powers = 7;

    /// <summary>From -0.993 to 1, in order.</summary>
    public static double[] Signed { get; } =
        [.. Magnitudes(1).SelectMany(value => new[] { value, -value }).Concat([0, 1]).Order()];

    /// <summary>From 0 to 1, in order.</summary>
    public static double[] Unsigned { get; } = [.. Magnitudes(2).Concat([0, 1]).Order()];

    /// <summary>Where 0 is in <see cref="Signed"/>.</summary>
    public static int SignedZero { get; } = Array.IndexOf(Signed, 0.0);

    private static IEnumerable<double> Magnitudes(int fewest) => Enumerable.Range(0, Powers).SelectMany(power =>
    {
        var parts = fewest << power;
        return Enumerable.Range(0, parts).Select(part => Math.Pow(10, power - Powers + 1) * (0.1 + (0.9 * (part + 0.5) / parts)));
    });
}
