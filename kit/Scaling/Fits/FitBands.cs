using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>A number with a range around it.</summary>
/// <param name="Value">The number.</param>
/// <param name="Low">Lower end of the range.</param>
/// <param name="High">Upper end of the range.</param>
public readonly record struct Band(double Value, double Low, double High)
{
    /// <summary>Whether a number lies in the range.</summary>
    public bool Contains(double value) => value >= Low && value <= High;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Value:0.####} [{Low:0.####}, {High:0.####}]");
}

/// <summary>How certain a fitted law is: the law fitted again to points drawn with replacement (bootstrap).</summary>
/// <remarks>Efron, 1979, https://doi.org/10.1214/aos/1176344552; percentile intervals.</remarks>
/// <param name="Law">The law of all points.</param>
/// <param name="Laws">The laws of the draws.</param>
public sealed record FitBands(ParametricLaw Law, IReadOnlyList<ParametricLaw> Laws)
{
    /// <summary>Range of a number that follows from the law: <c>bands.Of(law =&gt; law.Optimum(1e21).Parameters)</c>.</summary>
    /// <param name="number">Computes the number from a law.</param>
    /// <param name="level">Share of the draws within the range.</param>
    public Band Of(Func<ParametricLaw, double> number, double level = 0.95)
    {
        ArgumentNullException.ThrowIfNull(number);
        Require.That(level is > 0 and < 1, level, nameof(level), "between 0 and 1");
        double[] values = [.. Laws.Select(number).Where(double.IsFinite).Order()];
        if (values.Length == 0) throw new ArgumentException("The number is not finite for any draw.", nameof(number));
        return new(number(Law), Quantile(values, (1 - level) / 2), Quantile(values, (1 + level) / 2));
    }

    /// <summary>Range of the predicted loss of a run.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="level">Share of the draws within the range.</param>
    public Band Predict(double parameters, double tokens, double level = 0.95) =>
        Of(law => law.Predict(parameters, tokens), level);

    /// <summary>Standard deviation of a number over the draws.</summary>
    public double Deviation(Func<ParametricLaw, double> number)
    {
        ArgumentNullException.ThrowIfNull(number);
        double[] values = [.. Laws.Select(number).Where(double.IsFinite)];
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / Math.Max(1, values.Length - 1));
    }

    /// <summary>How often each point is in a draw with replacement.</summary>
    internal static double[] Drawn(int points, int seed, int number)
    {
        var random = Data.Shuffle.Random(seed, number);
        var counts = new double[points];
        for (var i = 0; i < points; i++) counts[(int)(random.NextShare() * points)]++;
        return counts;
    }

    private static double Quantile(double[] ordered, double share)
    {
        var place = share * (ordered.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, ordered.Length - 1);
        return ordered[below] + ((place - below) * (ordered[above] - ordered[below]));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Laws.Count} draws, 95 %: α {Of(law => law.Alpha)}, β {Of(law => law.Beta)}, "
        + $"E {Of(law => law.E)}, a {Of(law => law.ParametersExponent)}";
}
