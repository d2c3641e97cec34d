using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>
/// Chinchilla's law with a penalty for overfitting on repeated data: L = E + A / N^α + B / D^β + P R^δ (N / U)^κ, where
/// R = D / U − 1 is the number of repetitions.
/// </summary>
/// <remarks>Lovelace et al., 2026, https://arxiv.org/abs/2605.01640. The loss can rise with more repetitions.</remarks>
/// <param name="Law">The law of data without repetition.</param>
/// <param name="Penalty">P.</param>
/// <param name="RepetitionExponent">δ.</param>
/// <param name="CapacityExponent">κ, exponent of the parameters for each different token.</param>
public sealed record OverfittingLaw(ParametricLaw Law, double Penalty, double RepetitionExponent, double CapacityExponent)
{
    /// <summary>Predicts the loss of a run, in nats per token.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D, repetitions included.</param>
    /// <param name="unique">U, number of different tokens.</param>
    public double Predict(double parameters, double tokens, double unique)
    {
        Require.Positive(unique);
        var repetitions = Math.Max(0, (tokens / unique) - 1);
        return Law.Predict(parameters, tokens) + (repetitions == 0 ? 0
            : Penalty * Math.Pow(repetitions, RepetitionExponent) * Math.Pow(parameters / unique, CapacityExponent));
    }

    /// <summary>Fits the penalty to runs with repeated data, for a given law of data without repetition.</summary>
    /// <param name="points">Runs with <see cref="ScalingPoint.UniqueTokens"/>.</param>
    /// <param name="law">The law of data without repetition.</param>
    /// <param name="delta">Threshold of the Huber loss on log L.</param>
    /// <exception cref="ArgumentException">There are too few points with repetitions, or a number is not positive.</exception>
    public static OverfittingLaw Fit(IEnumerable<ScalingPoint> points, ParametricLaw law, double delta = 1e-3)
    {
        ArgumentNullException.ThrowIfNull(law);
        Require.Positive(delta);
        var all = ScalingPoints.Checked(points, 3, "an overfitting penalty")
            .Where(point => point.UniqueTokens < point.Tokens).ToList();
        ScalingPoints.Enough(all.Count, 3, "an overfitting penalty of runs that repeat their data");
        var terms = new PowerTerms(3,
        [
            new([], [.. all.Select(point => Math.Log(law.Predict(point.Parameters, point.Tokens)))]),
            new([
                (0, null),
                (1, [.. all.Select(point => Math.Log((point.Tokens / point.UniqueTokens!.Value) - 1))]),
                (2, [.. all.Select(point => Math.Log(point.Parameters / point.UniqueTokens!.Value))]),
            ]),
        ], all.Select(point => point.Loss), delta);
        double[] logs = [-8, -5, -2, 0, 2];
        double[] exponents = [0.3, 1, 2];
        var best = Minimizer.FromAll(terms.Value,
            [.. from p in logs from repetition in exponents from capacity in exponents select new[] { p, repetition,
                capacity }], 400)[0];
        return new(law, Math.Exp(best.At[0]), best.At[1], best.At[2]);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Law} + {Penalty:0.###e0} R^{RepetitionExponent:0.###} (N/U)^{CapacityExponent:0.###}");
}
