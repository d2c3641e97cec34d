namespace ResearchKit.Tensors;

/// <summary>Moments of a part of the values; those of two parts can be combined.</summary>
/// <param name="Finite">Number of finite values.</param>
/// <param name="Mean">Mean of the finite values; 0 where there is none.</param>
/// <param name="Squares">Sum of squared differences from the mean.</param>
/// <param name="Minimum">Smallest finite value, or +∞.</param>
/// <param name="Maximum">Largest finite value, or −∞.</param>
/// <param name="Zeros">Number of zeros.</param>
/// <param name="NaN">Number of NaN.</param>
/// <param name="PositiveInfinity">Number of +∞.</param>
/// <param name="NegativeInfinity">Number of −∞.</param>
internal readonly record struct TensorStatisticsMoments(
    long Finite, double Mean, double Squares, double Minimum, double Maximum, long Zeros,
    long NaN = 0, long PositiveInfinity = 0, long NegativeInfinity = 0)
{
    public static TensorStatisticsMoments None => new(0, 0, 0, double.PositiveInfinity, double.NegativeInfinity, 0);

    /// <summary>Combines the moments of two parts.</summary>
    /// <remarks>
    /// Chan, Golub and LeVeque, 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
    /// </remarks>
    public TensorStatisticsMoments And(TensorStatisticsMoments other)
    {
        var finite = Finite + other.Finite;
        var share = finite == 0 ? 0 : (double)other.Finite / finite;
        var apart = other.Mean - Mean;
        return new TensorStatisticsMoments(
            finite,
            Finite == 0 ? other.Mean : Mean + (apart * share),
            Squares + other.Squares + (Finite == 0 || other.Finite == 0 ? 0 : apart * apart * share * Finite),
            Math.Min(Minimum, other.Minimum), Math.Max(Maximum, other.Maximum), Zeros + other.Zeros,
            NaN + other.NaN, PositiveInfinity + other.PositiveInfinity, NegativeInfinity + other.NegativeInfinity);
    }
}
