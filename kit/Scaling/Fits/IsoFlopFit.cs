using System.Globalization;

namespace ResearchKit.Scaling;

/// <summary>The parabola of one budget: L = k₀ x² + k₁ x + k₂ with x = log₁₀ N.</summary>
/// <param name="Compute">The budget, in operations.</param>
/// <param name="Quadratic">k₀.</param>
/// <param name="Linear">k₁.</param>
/// <param name="Constant">k₂.</param>
/// <param name="Points">The runs of the budget.</param>
public sealed record IsoFlopCurve(double Compute, double Quadratic, double Linear, double Constant,
    IReadOnlyList<ScalingPoint> Points)
{
    /// <summary>N at the vertex.</summary>
    public double OptimalParameters => Math.Pow(10, -Linear / (2 * Quadratic));

    /// <summary>D at the vertex: C / (6 N).</summary>
    public double OptimalTokens => Compute / 6 / OptimalParameters;

    /// <summary>Loss at the vertex.</summary>
    public double MinimalLoss => Constant - (Linear * Linear / (4 * Quadratic));

    /// <summary>The loss of the parabola.</summary>
    /// <param name="parameters">N.</param>
    public double Predict(double parameters)
    {
        var x = Math.Log10(parameters);
        return (((Quadratic * x) + Linear) * x) + Constant;
    }

    /// <summary>Whether the vertex lies between the smallest and the largest run, and is a minimum.</summary>
    public bool IsBracketed => Quadratic > 0 && OptimalParameters >= Points.Min(point => point.Parameters)
        && OptimalParameters <= Points.Max(point => point.Parameters);
}

/// <summary>
/// IsoFLOP curves: for each budget a parabola through the losses over log N, whose vertices follow power laws of the budget.
/// </summary>
/// <remarks>Hoffmann et al., 2022, https://arxiv.org/abs/2203.15556, approach 2.</remarks>
/// <param name="Curves">A parabola for each budget, by rising budget.</param>
/// <param name="Parameters">The best N over the budget; its exponent is Chinchilla's a.</param>
/// <param name="Tokens">The best D over the budget; its exponent is Chinchilla's b.</param>
public sealed record IsoFlopFit(IReadOnlyList<IsoFlopCurve> Curves, PowerLaw Parameters, PowerLaw Tokens)
{
    /// <summary>a, the exponent of the best N.</summary>
    public double ParametersExponent => Parameters.Exponent;

    /// <summary>b, the exponent of the best D.</summary>
    public double TokensExponent => Tokens.Exponent;

    /// <summary>Fits the parabolas and the two power laws.</summary>
    /// <param name="points">
    /// Runs of at least two budgets, three or more runs each; runs whose <see cref="ScalingPoint.Compute"/> differs by less than
    /// <paramref name="tolerance"/> have the same budget.
    /// </param>
    /// <param name="tolerance">Relative difference of operations within a budget.</param>
    /// <exception cref="ArgumentException">A number is not positive, a budget has too few runs, or it has no minimum.</exception>
    public static IsoFlopFit Fit(IEnumerable<ScalingPoint> points, double tolerance = 0.05)
    {
        Tensors.Require.Positive(tolerance);
        var all = ScalingPoints.Checked(points, 6, "an isoFLOP fit of two budgets");
        var curves = Budgets(all, tolerance).Select(Parabola).ToList();
        if (curves.Count < 2)
            throw new ArgumentException("All runs have the same budget; isoFLOP exponents need at least two budgets.",
                nameof(points));
        double[] budgets = [.. curves.Select(curve => curve.Compute)];
        return new(curves, PowerLaw.Fit(budgets, [.. curves.Select(curve => curve.OptimalParameters)]),
            PowerLaw.Fit(budgets, [.. curves.Select(curve => curve.OptimalTokens)]));
    }

    /// <summary>Computes the best parameters and tokens of a budget by the power laws.</summary>
    /// <param name="compute">C, in operations.</param>
    public (double Parameters, double Tokens) Optimum(double compute) => (Parameters.Predict(compute), Tokens.Predict(compute));

    /// <summary>Fits one budget's parabola.</summary>
    internal static IsoFlopCurve Parabola(IReadOnlyList<ScalingPoint> points)
    {
        var compute = points.Average(point => point.Compute);
        var x = points.Select(point => Math.Log10(point.Parameters)).ToArray();
        if (x.Distinct().Count() < 3)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"The budget {compute:0.###e0} has runs of {x.Distinct().Count()} sizes; a parabola needs three."));
        var (k0, k1, k2) = Quadratic(x, [.. points.Select(point => point.Loss)]);
        if (!(k0 > 0))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"The losses of the budget {compute:0.###e0} have no minimum over the sizes: the parabola opens downwards."));
        return new(compute, k0, k1, k2, points);
    }

    /// <summary>Least squares of a parabola, about the mean of x, where the normal equations are well conditioned.</summary>
    private static (double, double, double) Quadratic(double[] x, double[] y)
    {
        var middle = x.Average();
        double[] t = [.. x.Select(one => one - middle)];
        double Moment(int power) => t.Sum(one => Math.Pow(one, power));
        double Mixed(int power) => t.Zip(y).Sum(pair => Math.Pow(pair.First, power) * pair.Second);
        double n = x.Length, s2 = Moment(2), s3 = Moment(3), s4 = Moment(4);   // Moment(1) is 0
        var curve = ((Mixed(2) - (s2 / n * Mixed(0))) - (s3 / s2 * Mixed(1))) / (s4 - (s2 * s2 / n) - (s3 * s3 / s2));
        var slope = (Mixed(1) - (s3 * curve)) / s2;
        var level = (Mixed(0) - (s2 * curve)) / n;
        return (curve, slope - (2 * curve * middle), level - (slope * middle) + (curve * middle * middle));
    }

    private static List<List<ScalingPoint>> Budgets(IEnumerable<ScalingPoint> points, double tolerance)
    {
        var budgets = new List<List<ScalingPoint>>();
        foreach (var point in points.OrderBy(point => point.Compute))
            if (budgets is [.., var last] && point.Compute <= last[0].Compute * (1 + tolerance)) last.Add(point);
            else budgets.Add([point]);
        return budgets;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Curves.Count} budgets: N ∝ C^{ParametersExponent:0.###}, D ∝ C^{TokensExponent:0.###}");
}
