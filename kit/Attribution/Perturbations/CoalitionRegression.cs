using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>Weighted least squares from the presence of players to the value of a coalition, in float64.</summary>
internal static class CoalitionRegression
{
    /// <summary>
    /// The coefficients sum to the change from the empty to the full coalition, and the intercept is the empty one's value.
    /// </summary>
    /// <param name="present">[coalitions][players].</param>
    /// <param name="weights">Of the coalitions.</param>
    /// <param name="values">[coalitions][example].</param>
    /// <param name="none">Values of the empty coalition, by example.</param>
    /// <param name="full">Values of the full one.</param>
    /// <returns>[example][player].</returns>
    public static double[][] WithFixedSum(
        IReadOnlyList<bool[]> present, IReadOnlyList<double> weights, double[][] values, double[] none, double[] full)
    {
        var last = present[0].Length - 1;   // it takes what the others leave of the sum
        double Of(bool[] row, int player) => row[player] ? 1 : 0;
        var shares = Solve(
            present.Select(row => Enumerable.Range(0, last).Select(player => Of(row, player) - Of(row, last)).ToArray()),
            weights,
            values.Select((row, at) => row.Select((value, example) =>
                value - none[example] - (Of(present[at], last) * (full[example] - none[example]))).ToArray()), ridge: 0);
        return [.. shares.Select((row, example) => (double[])[.. row, full[example] - none[example] - row.Sum()])];
    }

    /// <summary>With a free intercept, which is not penalized.</summary>
    /// <param name="present">[coalitions][players].</param>
    /// <param name="weights">Of the coalitions.</param>
    /// <param name="values">[coalitions][example].</param>
    /// <param name="ridge">Weight of the squared coefficients.</param>
    /// <returns>[example][player], without the intercept.</returns>
    public static double[][] WithIntercept(
        IReadOnlyList<bool[]> present, IReadOnlyList<double> weights, double[][] values, double ridge)
    {
        var total = weights.Sum();
        var players = present[0].Length;
        var centre = Enumerable.Range(0, players).Select(player =>
            present.Select((row, at) => row[player] ? weights[at] : 0).Sum() / total).ToArray();
        var mean = Enumerable.Range(0, values[0].Length).Select(example =>
            values.Select((row, at) => weights[at] * row[example]).Sum() / total).ToArray();
        return Solve(present.Select(row => row.Select((member, player) => (member ? 1 : 0) - centre[player]).ToArray()), weights,
            values.Select(row => row.Select((value, example) => value - mean[example]).ToArray()), ridge);
    }

    private static double[][] Solve(IEnumerable<double[]> rows, IReadOnlyList<double> weights, IEnumerable<double[]> values,
        double ridge)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var roots = weights.Select(Math.Sqrt).ToArray();
        var (left, right) = (Matrix(rows, roots), Matrix(values, roots));
        if (ridge > 0)
        {
            left = cat([left, Math.Sqrt(ridge) * eye(left.shape[1], dtype: float64)]);
            right = cat([right, zeros(left.shape[1], right.shape[1], dtype: float64)]);
        }
        // By the singular values, so that players which cannot be told apart share what they explain.
        var (u, s, v) = linalg.svd(left, fullMatrices: false);
        var inverse = where(s > 1e-12 * s.max(), 1 / s, zeros_like(s));
        var solution = v.t().matmul(inverse.unsqueeze(1) * u.t().matmul(right));   // [players, examples]
        var flat = solution.t().contiguous().data<double>().ToArray();
        var players = (int)solution.shape[0];
        return [.. Enumerable.Range(0, (int)solution.shape[1])
            .Select(example => flat[(example * players)..((example + 1) * players)])];
    }

    private static Tensor Matrix(IEnumerable<double[]> rows, double[] roots)
    {
        var all = rows.ToList();
        return tensor(all.SelectMany((row, at) => row.Select(value => value * roots[at])).ToArray(), float64).view(all.Count, -1);
    }
}
