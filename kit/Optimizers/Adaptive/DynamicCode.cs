namespace ResearchKit.Optimizers;

/// <summary>
/// The 256 values of a byte in dynamic tree quantization: seven powers of ten, with more values for the larger
/// powers.
/// </summary>
/// <remarks>
/// Dettmers, 2016, https://arxiv.org/abs/1511.04561, and Dettmers et al., 2022,
/// https://arxiv.org/abs/2110.02861. For each power of ten, the values are the centres of equal intervals of
/// [0.1, 1]: 1, 2, 4, … 64 intervals for signed values, and twice as many for unsigned ones. 0 and 1 are exact.
/// The code of a number is the index of its interval, which <see cref="AdamW8bit"/> computes.
/// </remarks>
internal static class DynamicCode
{
    private const int Powers = 7;

    /// <summary>Signed values from -0.993 to 1, ascending.</summary>
    public static double[] Signed { get; } =
        [.. Magnitudes(1).SelectMany(value => new[] { value, -value }).Concat([0, 1]).Order()];

    /// <summary>Unsigned values from 0 to 1, ascending.</summary>
    public static double[] Unsigned { get; } = [.. Magnitudes(2).Concat([0, 1]).Order()];

    /// <summary>Index of 0 in <see cref="Signed"/>.</summary>
    public static int SignedZero { get; } = Array.IndexOf(Signed, 0.0);

    private static IEnumerable<double> Magnitudes(int fewest) => Enumerable.Range(0, Powers).SelectMany(power =>
    {
        var parts = fewest << power;
        return Enumerable.Range(0, parts).Select(part => Math.Pow(10, power - Powers + 1) * (0.1 + (0.9 * (part + 0.5) / parts)));
    });
}
