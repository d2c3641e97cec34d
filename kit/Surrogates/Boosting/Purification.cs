namespace ResearchKit.Surrogates;

/// <summary>Moves what a pair says about one feature alone into the term of that feature.</summary>
/// <remarks>
/// Lengerich et al., 2020, https://arxiv.org/abs/1911.04974. The mean of each row and column, weighted by the training rows of
/// the cells, becomes 0.
/// </remarks>
internal static class Purification
{
    private const int MostSweeps = 20_000;

    /// <param name="cells">[row · columns + column]; changed in place.</param>
    /// <param name="weights">Training rows of each cell.</param>
    /// <param name="columns">Number of columns.</param>
    /// <returns>What was taken from each row and from each column.</returns>
    public static (double[] Rows, double[] Columns) Purify(double[] cells, double[] weights, int columns)
    {
        var rows = cells.Length / columns;
        var (ofRows, ofColumns) = (new double[rows], new double[columns]);
        for (var sweep = 0; sweep < MostSweeps; sweep++)
        {
            var largest = 0.0;
            for (var row = 0; row < rows; row++) largest = Math.Max(largest, Move(ofRows, row, row * columns, 1, columns));
            for (var column = 0; column < columns; column++)
                largest = Math.Max(largest, Move(ofColumns, column, column, columns, rows));
            if (largest < 1e-14) break;
        }
        return (ofRows, ofColumns);

        double Move(double[] moved, int at, int start, int stride, int count)
        {
            double sum = 0, weight = 0;
            for (var step = 0; step < count; step++)
            {
                sum += weights[start + (step * stride)] * cells[start + (step * stride)];
                weight += weights[start + (step * stride)];
            }
            if (weight <= 0) return 0;
            for (var step = 0; step < count; step++) cells[start + (step * stride)] -= sum / weight;
            moved[at] += sum / weight;
            return Math.Abs(sum / weight);
        }
    }
}
