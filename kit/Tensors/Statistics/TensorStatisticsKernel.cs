using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Tensors;

/// <summary>The vectorised inner loop: computes the moments of contiguous values.</summary>
/// <remarks>
/// Each block is read twice while it is in the L1 cache: first for its range and mean, then for the differences
/// from that mean, so that the deviation is accurate even if the mean is far from zero. Main memory is read
/// once. The loops are compiled with full optimization at the first call, because the first tensor shown is
/// often the largest.
/// </remarks>
internal static class TensorStatisticsKernel
{
    private const int Block = 2048;

    public static TensorStatisticsMoments Of<T>(ReadOnlySpan<T> values) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var total = TensorStatisticsMoments.None;
        while (values.Length > 0)
        {
            var block = values[..Math.Min(Block, values.Length)];
            total = total.And(OfBlock(block));
            values = values[block.Length..];
        }
        return total;
    }

    /// <summary>Computes the moments of integers; each block is converted to doubles in the L1 cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static TensorStatisticsMoments OfIntegers<T>(ReadOnlySpan<T> values) where T : unmanaged, IBinaryInteger<T>
    {
        Span<double> wide = stackalloc double[Block];
        var total = TensorStatisticsMoments.None;
        while (values.Length > 0)
        {
            var length = Math.Min(Block, values.Length);
            for (var i = 0; i < length; i++) wide[i] = double.CreateTruncating(values[i]);
            total = total.And(OfBlock<double>(wide[..length]));
            values = values[length..];
        }
        return total;
    }

    private static TensorStatisticsMoments OfBlock<T>(ReadOnlySpan<T> block) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (range, allFinite) = Range(block);
        if (!allFinite) return OfMixed(block);
        if (typeof(T) == typeof(float) && !FloatSquaresAreSafe(range)) return OfWidened(block);
        return Spread(block, range);
    }

    /// <summary>Whether squares of floats neither overflow nor underflow: the range is moderate, or zero.</summary>
    private static bool FloatSquaresAreSafe(TensorStatisticsMoments range)
    {
        var width = range.Maximum - range.Minimum;
        return Math.Max(Math.Abs(range.Maximum), Math.Abs(range.Minimum)) < 1e30 && width is 0 or (> 1e-15 and < 1e15);
    }

    /// <summary>
    /// First pass: minimum, maximum, number of zeros, mean, and whether every value is finite. If not, the other
    /// results are invalid.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (TensorStatisticsMoments Range, bool AllFinite) Range<T>(ReadOnlySpan<T> block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(block);
        var sum = Vector<T>.Zero;
        var zeros = Vector<T>.Zero;
        var poison = Vector<T>.Zero;
        var low = new Vector<T>(block[0]);
        var high = new Vector<T>(block[0]);
        foreach (var x in vectors)
        {
            sum += x;
            low = Vector.MinNative(low, x);
            high = Vector.MaxNative(high, x);
            zeros += Vector.ConditionalSelect(Vector.Equals(x, Vector<T>.Zero), Vector<T>.One, Vector<T>.Zero);
            poison += x * Vector<T>.Zero;   // NaN as soon as one value is NaN or infinite
        }
        var total = 0d;
        var zero = 0d;
        var bad = T.Zero;
        var smallest = block[0];
        var largest = block[0];
        for (var lane = 0; lane < Vector<T>.Count && vectors.Length > 0; lane++)
        {
            total += double.CreateTruncating(sum[lane]);
            zero += double.CreateTruncating(zeros[lane]);
            bad += poison[lane];
            smallest = T.MinNative(smallest, low[lane]);
            largest = T.MaxNative(largest, high[lane]);
        }
        foreach (var x in block[(vectors.Length * Vector<T>.Count)..])
        {
            total += double.CreateTruncating(x);
            zero += T.IsZero(x) ? 1 : 0;
            bad += x * T.Zero;
            smallest = T.MinNative(smallest, x);
            largest = T.MaxNative(largest, x);
        }
        var minimum = double.CreateTruncating(smallest);
        var maximum = double.CreateTruncating(largest);
        return (new TensorStatisticsMoments(block.Length, total / block.Length, 0, minimum, maximum, (long)zero), !T.IsNaN(bad));
    }

    /// <summary>
    /// Second pass: squared differences from the mean of the first pass, which this pass also refines.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TensorStatisticsMoments Spread<T>(ReadOnlySpan<T> block, TensorStatisticsMoments range)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (range.Minimum == range.Maximum) return range with { Mean = range.Minimum };
        var centre = T.CreateTruncating(range.Mean);
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(block);
        var sums = Vector<T>.Zero;
        var squares = Vector<T>.Zero;
        var middle = new Vector<T>(centre);
        foreach (var x in vectors)
        {
            var apart = x - middle;
            sums += apart;
            squares += apart * apart;
        }
        var sum = 0d;
        var square = 0d;
        for (var lane = 0; lane < Vector<T>.Count; lane++)
        {
            sum += double.CreateTruncating(sums[lane]);
            square += double.CreateTruncating(squares[lane]);
        }
        foreach (var x in block[(vectors.Length * Vector<T>.Count)..])
        {
            var apart = double.CreateTruncating(x - centre);
            sum += apart;
            square += apart * apart;
        }
        return range with
        {
            Mean = double.CreateTruncating(centre) + (sum / block.Length),
            Squares = Math.Max(0, square - (sum * sum / block.Length)),
        };
    }

    /// <summary>
    /// Computes the moments of a block with NaN or infinities: counts these, and measures the finite values
    /// separately.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TensorStatisticsMoments OfMixed<T>(ReadOnlySpan<T> block) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> finite = stackalloc T[Block];
        var kept = 0;
        var nan = 0;
        var positive = 0;
        var negative = 0;
        foreach (var x in block)
        {
            if (T.IsFinite(x)) finite[kept++] = x;
            else if (T.IsNaN(x)) nan++;
            else if (T.IsPositive(x)) positive++;
            else negative++;
        }
        var moments = kept == 0 ? TensorStatisticsMoments.None : OfBlock<T>(finite[..kept]);
        return moments with { NaN = nan, PositiveInfinity = positive, NegativeInfinity = negative };
    }

    private static TensorStatisticsMoments OfWidened<T>(ReadOnlySpan<T> block) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<double> wide = stackalloc double[Block];
        for (var i = 0; i < block.Length; i++) wide[i] = double.CreateTruncating(block[i]);
        return OfBlock<double>(wide[..block.Length]);
    }
}
