namespace ResearchKit.Surrogates;

/// <summary>Finds the pairs of features that reduce the loss most, by the best cut into four quadrants.</summary>
/// <remarks>Lou, Caruana, Gehrke and Hooker, 2013 (FAST).</remarks>
internal static class PairSelection
{
    /// <summary>Returns the best pairs by what is left after the terms of single features.</summary>
    public static IReadOnlyList<(int First, int Second)> Best(IReadOnlyList<FeatureBins> bins, double[] gradients,
        double[] curvatures, int count, int leastRows, double ridge, CancellationToken cancellation)
    {
        if (count == 0) return [];
        var gains = new List<(int First, int Second, double Gain)>();
        for (var first = 0; first < bins.Count; first++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var second = first + 1; second < bins.Count; second++)
            {
                if (bins[first].Groups < 2 || bins[second].Groups < 2) continue;
                var cells = Cells(bins[first], bins[second]);
                var size = bins[first].Groups * bins[second].Groups;
                var (gradient, curvature, rows) = (new double[size], new double[size], new double[size]);
                for (var row = 0; row < cells.Length; row++)
                {
                    gradient[cells[row]] += gradients[row];
                    curvature[cells[row]] += curvatures[row];
                    rows[cells[row]]++;
                }
                gains.Add((first, second, new Quadrants(gradient, curvature, rows, bins[second].Groups,
                    ridge).Best(leastRows).Gain));
            }
        }
        return [.. gains.Where(pair => pair.Gain > 0).OrderByDescending(pair => pair.Gain).Take(count)
            .Select(pair => (pair.First, pair.Second))];
    }

    /// <summary>Cell of each training row.</summary>
    public static int[] Cells(FeatureBins first, FeatureBins second) =>
        [.. first.GroupRows.Zip(second.GroupRows, (row, column) => (row * second.Groups) + column)];

    /// <summary>Returns the Newton step of each cell; null if no cut is possible.</summary>
    public static double[]? Steps(double[] gradient, double[] curvature, double[] count, int columns, int leastRows, double ridge)
    {
        var quadrants = new Quadrants(gradient, curvature, count, columns, ridge);
        var (row, column, gain) = quadrants.Best(leastRows);
        return gain > 0 ? quadrants.Steps(row, column) : null;
    }
}

/// <summary>Sums over the four quadrants that a row and a column of a grid cut.</summary>
internal sealed class Quadrants
{
    private readonly double[,] gradients, curvatures, counts;
    private readonly int rows, columns;
    private readonly double ridge;

    public Quadrants(double[] gradient, double[] curvature, double[] count, int columns, double ridge)
    {
        this.columns = columns;
        this.ridge = ridge;
        rows = gradient.Length / columns;
        gradients = Cumulative(gradient);
        curvatures = Cumulative(curvature);
        counts = Cumulative(count);
    }

    /// <summary>Returns the cut with the largest gain; the gain is 0 if there is none.</summary>
    public (int Row, int Column, double Gain) Best(int leastRows)
    {
        var best = (Row: 0, Column: 0, Gain: 0.0);
        var whole = Score(0, rows, 0, columns);
        for (var row = 1; row < rows; row++)
            for (var column = 1; column < columns; column++)
            {
                var gain = -whole;
                foreach (var (top, bottom, left, right) in Parts(row, column))
                    gain += Sum(counts, top, bottom, left, right) is var inside && inside > 0 && inside < leastRows
                        ? double.NegativeInfinity : Score(top, bottom, left, right);
                if (gain > best.Gain) best = (row, column, gain);
            }
        return best;
    }

    public double[] Steps(int row, int column)
    {
        var steps = new double[rows * columns];
        foreach (var (top, bottom, left, right) in Parts(row, column))
        {
            var step = Sum(gradients, top, bottom, left, right) / (Sum(curvatures, top, bottom, left, right) + ridge);
            for (var at = top; at < bottom; at++) Array.Fill(steps, step, (at * columns) + left, right - left);
        }
        return steps;
    }

    private (int Top, int Bottom, int Left, int Right)[] Parts(int row, int column) =>
        [(0, row, 0, column), (0, row, column, columns), (row, rows, 0, column), (row, rows, column, columns)];

    private double Score(int top, int bottom, int left, int right)
    {
        var gradient = Sum(gradients, top, bottom, left, right);
        return gradient * gradient / (Sum(curvatures, top, bottom, left, right) + ridge);
    }

    private static double Sum(double[,] sums, int top, int bottom, int left, int right) =>
        sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left];

    private double[,] Cumulative(double[] values)
    {
        var sums = new double[rows + 1, columns + 1];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                sums[row + 1, column + 1] = values[(row * columns) + column] + sums[row, column + 1] + sums[row + 1, column]
                    - sums[row, column];
        return sums;
    }
}
