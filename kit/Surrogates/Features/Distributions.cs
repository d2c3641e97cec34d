namespace ResearchKit.Surrogates;

/// <summary>Special functions and tail probabilities, exact to about 1e-12 relative, also far in the tails.</summary>
internal static class Distributions
{
    private const double Tiny = 1e-300;

    private static readonly double[] Lanczos = [0.99999999999980993, 676.5203681218851, -1259.1392167224028,
        771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
        1.5056327351493116e-7];

    /// <summary>Logarithm of the gamma function of a positive number, by Lanczos' series.</summary>
    public static double LogGamma(double x)
    {
        if (x < 0.5) return Math.Log(Math.PI / Math.Sin(Math.PI * x)) - LogGamma(1 - x);
        var sum = Lanczos[0];
        for (var term = 1; term < Lanczos.Length; term++) sum += Lanczos[term] / (x - 1 + term);
        var shifted = x + 6.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x - 0.5) * Math.Log(shifted)) - shifted + Math.Log(sum);
    }

    /// <summary>Derivative of <see cref="LogGamma"/>, for a positive number.</summary>
    public static double Digamma(double x)
    {
        var sum = 0.0;
        for (; x < 10; x++) sum -= 1 / x;
        var square = 1 / (x * x);
        return sum + Math.Log(x) - (0.5 / x)
            - (square * ((1.0 / 12) - (square * ((1.0 / 120) - (square * ((1.0 / 252) - (square * ((1.0 / 240)
                - (square / 132)))))))));
    }

    /// <summary>Probability that a chi-squared variable exceeds a value.</summary>
    public static double ChiSquaredTail(double value, double degrees) => GammaTail(degrees / 2, value / 2);

    /// <summary>Probability that an F variable exceeds a value.</summary>
    public static double FTail(double value, double numerator, double denominator) =>
        Beta(denominator / 2, numerator / 2, denominator / (denominator + (numerator * value)));

    /// <summary>Regularized incomplete beta function.</summary>
    public static double Beta(double a, double b, double x)
    {
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        var front = LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x));
        return x < (a + 1) / (a + b + 2) ? Math.Exp(front) * BetaFraction(a, b, x) / a
            : 1 - (Math.Exp(front) * BetaFraction(b, a, 1 - x) / b);
    }

    /// <summary>The x at which <see cref="Beta"/> is a probability, by bisection.</summary>
    public static double BetaQuantile(double a, double b, double probability)
    {
        double low = 0, high = 1;
        for (var step = 0; step < 100; step++)
        {
            var middle = (low + high) / 2;
            if (Beta(a, b, middle) < probability) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>One-sided lower bound of a share, of Clopper and Pearson.</summary>
    /// <param name="hits">Number of hits.</param>
    /// <param name="trials">Number of trials.</param>
    /// <param name="confidence">Probability that the share is not below the bound, such as 0.95.</param>
    public static double LowerBound(long hits, long trials, double confidence) =>
        hits == 0 ? 0 : BetaQuantile(hits, trials - hits + 1, 1 - confidence);

    private static double GammaTail(double a, double x)
    {
        if (x <= 0) return 1;
        var front = Math.Exp((a * Math.Log(x)) - x - LogGamma(a));
        if (x < a + 1)
        {
            double term = 1 / a, sum = term;
            for (var n = 1; n < 10_000 && term > sum * 1e-17; n++) sum += term *= x / (a + n);
            return 1 - (front * sum);
        }
        double b = x + 1 - a, c = 1 / Tiny, d = 1 / b, fraction = d;
        for (var n = 1; n < 10_000; n++)
        {
            var numerator = -n * (n - a);
            b += 2;
            d = 1 / Guarded((numerator * d) + b);
            c = Guarded(b + (numerator / c));
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-16) break;
        }
        return front * fraction;
    }

    /// <summary>The continued fraction of the incomplete beta function, by the method of Lentz.</summary>
    private static double BetaFraction(double a, double b, double x)
    {
        double c = 1, d = 1 / Guarded(1 - ((a + b) * x / (a + 1))), fraction = d;
        for (var n = 1; n < 10_000; n++)
        {
            var even = n * (b - n) * x / ((a + (2 * n) - 1) * (a + (2 * n)));
            d = 1 / Guarded(1 + (even * d));
            c = Guarded(1 + (even / c));
            fraction *= d * c;
            var odd = -(a + n) * (a + b + n) * x / ((a + (2 * n)) * (a + (2 * n) + 1));
            d = 1 / Guarded(1 + (odd * d));
            c = Guarded(1 + (odd / c));
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-16) break;
        }
        return fraction;
    }

    private static double Guarded(double value) => Math.Abs(value) < Tiny ? Tiny : value;
}
