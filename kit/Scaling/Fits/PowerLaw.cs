using System.Globalization;

namespace ResearchKit.Scaling;

/// <summary>A power law: y = c x^s, a straight line in logarithms.</summary>
/// <param name="Coefficient">c.</param>
/// <param name="Exponent">s; negative for a loss that falls.</param>
public sealed record PowerLaw(double Coefficient, double Exponent)
{
    /// <summary>ln c.</summary>
    public double LogCoefficient => Math.Log(Coefficient);

    /// <summary>Predicts y.</summary>
    public double Predict(double x) => Coefficient * Math.Pow(x, Exponent);

    /// <summary>Fits the law by least squares of ln y on ln x.</summary>
    /// <param name="x">Sizes, such as parameters, tokens or operations.</param>
    /// <param name="y">What depends on them, such as losses.</param>
    /// <exception cref="ArgumentException">A number is not positive, or there are fewer than two different sizes.</exception>
    public static PowerLaw Fit(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        Check(x, y, 2, "a power law");
        var (slope, intercept) = Line([.. x.Select(one => Math.Log(one))], [.. y.Select(one => Math.Log(one))]);
        return new(Math.Exp(intercept), slope);
    }

    /// <summary>Fits the law to the loss of runs over their parameters, tokens or operations.</summary>
    /// <param name="points">The runs.</param>
    /// <param name="size">The size of a run, such as <c>point =&gt; point.Compute</c>.</param>
    /// <inheritdoc cref="Fit(IReadOnlyList{double}, IReadOnlyList{double})" path="/exception"/>
    public static PowerLaw Fit(IEnumerable<ScalingPoint> points, Func<ScalingPoint, double> size)
    {
        var all = ScalingPoints.Checked(points, 2, "a power law");
        return Fit([.. all.Select(size)], [.. all.Select(point => point.Loss)]);
    }

    /// <summary>The straight line of least squares.</summary>
    internal static (double Slope, double Intercept) Line(double[] x, double[] y)
    {
        var middle = x.Average();
        var level = y.Average();
        var spread = x.Sum(one => (one - middle) * (one - middle));
        if (spread == 0) throw new ArgumentException("All points have the same size; a slope needs two different ones.");
        var slope = x.Zip(y).Sum(pair => (pair.First - middle) * (pair.Second - level)) / spread;
        return (slope, level - (slope * middle));
    }

    internal static void Check(IReadOnlyList<double> x, IReadOnlyList<double> y, int parameters, string law)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.Count != y.Count)
            throw new ArgumentException($"Got {x.Count} sizes and {y.Count} losses; expected as many of both.");
        for (var i = 0; i < x.Count; i++)
        {
            ScalingPoints.Positive("a size", x[i], i);
            ScalingPoints.Positive("a loss", y[i], i);
        }
        ScalingPoints.Enough(x.Count, parameters, law);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"y = {Coefficient:0.####} x^{Exponent:0.####}");
}

/// <summary>A power law that falls to a floor: y = E + A x^-α.</summary>
/// <param name="E">The floor.</param>
/// <param name="A">Coefficient.</param>
/// <param name="Alpha">Exponent α.</param>
/// <param name="Objective">Half the sum of squared errors of ln y at the minimum; 0 for a law that was not fitted.</param>
public sealed record SaturatingPowerLaw(double E, double A, double Alpha, double Objective = 0)
{
    private static readonly double[] FloorShares = [0.1, 0.5, 0.9, 0.99];
    private static readonly double[] Exponents = [0.05, 0.1, 0.2, 0.35, 0.5, 1, 2];

    /// <summary>Predicts y.</summary>
    public double Predict(double x) => E + (A * Math.Pow(x, -Alpha));

    /// <summary>Fits the law by least squares of ln y, from a grid of starts.</summary>
    /// <param name="x">Sizes, such as parameters, tokens or operations.</param>
    /// <param name="y">What depends on them, such as losses.</param>
    /// <param name="delta">Threshold of the Huber loss; infinite for least squares.</param>
    /// <exception cref="ArgumentException">A number is not positive, or there are fewer than three points.</exception>
    public static SaturatingPowerLaw Fit(IReadOnlyList<double> x, IReadOnlyList<double> y, double delta = double.PositiveInfinity)
    {
        Tensors.Require.That(delta > 0, delta, nameof(delta), "above 0");
        PowerLaw.Check(x, y, 3, "a saturating power law");
        var terms = new PowerTerms(3, [new([(0, null), (2, [.. x.Select(one => -Math.Log(one))])]), new([(1, null)])], y, delta);
        var floor = y.Min();
        var starts = from share in FloorShares
                     from alpha in Exponents
                     select new[] { Math.Log(floor) + (alpha * Math.Log(x.Min())), Math.Log(share * floor), alpha };
        var best = Minimizer.FromAll(terms.Value, [.. starts], 400)[0];
        return new(Math.Exp(best.At[1]), Math.Exp(best.At[0]), best.At[2], best.Value);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"y = {E:0.####} + {A:0.####} x^-{Alpha:0.####}");
}
