namespace ResearchKit.Surrogates;

/// <summary>Linear and logistic regression with an L1 penalty, by coordinate descent on standardized columns.</summary>
/// <remarks>Friedman, Hastie and Tibshirani, 2010 (glmnet).</remarks>
internal sealed class Lasso
{
    private const double Small = 1e-5;
    private readonly double[][] columns;    // standardized
    private readonly double[] means, deviations, targets;
    private readonly bool isLogistic;
    private readonly int rows;

    /// <param name="columns">[column][row].</param>
    /// <param name="targets">Numbers, or 0 and 1.</param>
    /// <param name="isLogistic">Whether the targets are classes.</param>
    public Lasso(double[][] columns, double[] targets, bool isLogistic)
    {
        this.targets = targets;
        this.isLogistic = isLogistic;
        rows = targets.Length;
        means = Array.ConvertAll(columns, column => column.Average());
        deviations = [.. columns.Select((column, at) =>
            Math.Sqrt(column.Average(value => (value - means[at]) * (value - means[at]))) is var spread && spread > 1e-12
                ? spread : 0)];
        this.columns = [.. columns.Select((column, at) => deviations[at] > 0
            ? Array.ConvertAll(column, value => (value - means[at]) / deviations[at]) : new double[rows])];
    }

    /// <summary>The same targets with other columns.</summary>
    public Lasso Of(double[][] others) => new(others, targets, isLogistic);

    /// <summary>The smallest penalty at which all coefficients are 0.</summary>
    public double LargestPenalty()
    {
        var mean = targets.Average();
        return columns.Max(column => Math.Abs(column.Select((value, row) => value * (targets[row] - mean)).Sum()) / rows);
    }

    /// <summary>Solves for one penalty, from where the last call ended.</summary>
    /// <param name="penalty">Weight of the absolute coefficients against the mean loss.</param>
    /// <param name="start">Coefficients of standardized columns to start at; changed in place.</param>
    /// <param name="cancellation">Stops the work between two sweeps.</param>
    /// <returns>Coefficients and intercept for the columns as they were given.</returns>
    public (double[] Coefficients, double Intercept) Solve(double penalty, double[] start, CancellationToken cancellation)
    {
        var intercept = isLogistic ? Logit(Math.Clamp(targets.Average(), 1e-6, 1 - 1e-6)) : targets.Average();
        for (var outer = 0; outer < (isLogistic ? 25 : 1); outer++)
        {
            var before = (double[])start.Clone();
            var scores = Scores(start, intercept);
            var curvature = isLogistic ? Array.ConvertAll(scores, score =>
            {
                var chance = 1 / (1 + Math.Exp(-score));
                return Math.Max(1e-5, chance * (1 - chance));
            }) : [.. Enumerable.Repeat(1.0, rows)];
            // the working residual of a least-squares problem
            var residuals = scores.Select((score, row) => isLogistic
                ? (targets[row] - (1 / (1 + Math.Exp(-score)))) / curvature[row] : targets[row] - score).ToArray();
            Sweep(start, ref intercept, residuals, curvature, penalty, cancellation);
            if (before.Zip(start).Max(pair => Math.Abs(pair.First - pair.Second)) < 10 * Small) break;
        }
        var coefficients = start.Select((weight, at) => deviations[at] > 0 ? weight / deviations[at] : 0).ToArray();
        return (coefficients, intercept - coefficients.Zip(means).Sum(pair => pair.First * pair.Second));
    }

    /// <summary>Descends along all coordinates once, then along those that are not 0 until they rest, and again.</summary>
    private void Sweep(double[] weights, ref double intercept, double[] residuals, double[] curvature, double penalty,
        CancellationToken cancellation)
    {
        var squares = Array.ConvertAll(columns, column =>
        {
            var sum = 0.0;
            for (var row = 0; row < rows; row++) sum += curvature[row] * column[row] * column[row];
            return sum / rows;
        });
        var total = curvature.Sum();
        for (var round = 0; round < 50; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var largest = 0.0;
            for (var at = 0; at < columns.Length; at++) largest = Math.Max(largest, Step(at));
            Centre(ref intercept);
            if (largest < Small) return;
            for (var sweep = 0; sweep < 100 && largest >= Small; sweep++)
            {
                largest = 0;
                for (var at = 0; at < columns.Length; at++)
                    if (weights[at] != 0) largest = Math.Max(largest, Step(at));
                Centre(ref intercept);
            }
        }

        void Centre(ref double middle)
        {
            var shift = 0.0;
            for (var row = 0; row < rows; row++) shift += residuals[row] * curvature[row];
            middle += shift /= total;
            for (var row = 0; row < rows; row++) residuals[row] -= shift;
        }

        double Step(int at)
        {
            if (squares[at] <= 0) return 0;
            var (column, slope) = (columns[at], 0.0);
            for (var row = 0; row < rows; row++) slope += curvature[row] * column[row] * residuals[row];
            var free = (slope / rows) + (squares[at] * weights[at]);
            var next = Math.Sign(free) * Math.Max(0, Math.Abs(free) - penalty) / squares[at];
            var change = next - weights[at];
            if (change == 0) return 0;
            for (var row = 0; row < rows; row++) residuals[row] -= change * column[row];
            weights[at] = next;
            return Math.Abs(change);
        }
    }

    private double[] Scores(double[] weights, double intercept)
    {
        var scores = new double[rows];
        Array.Fill(scores, intercept);
        for (var at = 0; at < columns.Length; at++)
            for (var row = 0; weights[at] != 0 && row < rows; row++) scores[row] += weights[at] * columns[at][row];
        return scores;
    }

    private static double Logit(double share) => Math.Log(share / (1 - share));
}
