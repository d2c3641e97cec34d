using System.Numerics;

namespace ResearchKit.Tensors;

/// <summary>Collects moments and a sample of a tensor that is read in pieces.</summary>
internal sealed class TensorStatisticsPass
{
    /// <summary>
    /// Number of values in a task. It is the same on every machine, so that the order of the sums is the same too.
    /// </summary>
    private const int Segment = 1 << 18;

    private readonly long count;
    private readonly long step;
    private readonly List<double> sample = [];
    private TensorStatisticsMoments total = TensorStatisticsMoments.None;
    private long seen;

    /// <summary>Starts a pass.</summary>
    /// <param name="count">Number of values to come.</param>
    /// <param name="rowLength">Length of the last axis. The stride of the sample has no common factor with it, so
    /// that every column is sampled.</param>
    public TensorStatisticsPass(long count, long rowLength)
    {
        this.count = count;
        step = (count + TensorHistogram.SampleSize - 1) / TensorHistogram.SampleSize;
        while (step > 1 && BigInteger.GreatestCommonDivisor(step, rowLength) != 1) step++;
    }

    /// <summary>Adds the next values, which are contiguous at an address.</summary>
    public void Add<T>(nint address, long length) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Add<T>(address, length, TensorStatisticsKernel.Of);

    /// <inheritdoc cref="Add{T}(nint, long)"/>
    public void AddIntegers<T>(nint address, long length) where T : unmanaged, IBinaryInteger<T> =>
        Add<T>(address, length, TensorStatisticsKernel.OfIntegers);

    private delegate TensorStatisticsMoments Kernel<T>(ReadOnlySpan<T> values);

    private unsafe void Add<T>(nint address, long length, Kernel<T> kernel) where T : unmanaged, INumber<T>
    {
        var parts = new TensorStatisticsMoments[(length + Segment - 1) / Segment];
        void Measure(int part)
        {
            var start = (long)part * Segment;
            var values = new ReadOnlySpan<T>((T*)address + start, (int)Math.Min(Segment, length - start));
            parts[part] = kernel(values);
        }

        if (parts.Length == 1) Measure(0);
        else Parallel.For(0, parts.Length, Measure);
        foreach (var part in parts) total = total.And(part);

        for (var i = (step - (seen % step)) % step; i < length; i += step) sample.Add(double.CreateTruncating(((T*)address)[i]));
        seen += length;
    }

    public TensorStatistics Result()
    {
        var (minimum, maximum) = total.Finite == 0 ? (double.NaN, double.NaN) : (total.Minimum, total.Maximum);
        return new TensorStatistics(
            count,
            total.Finite == 0 ? double.NaN : total.Mean,
            total.Finite < 2 ? double.NaN : Math.Sqrt(total.Squares / (total.Finite - 1)),
            minimum, maximum, total.NaN, total.PositiveInfinity, total.NegativeInfinity, total.Zeros,
            TensorHistogram.Of(sample, minimum, maximum));
    }
}
