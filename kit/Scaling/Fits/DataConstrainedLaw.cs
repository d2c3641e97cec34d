using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>
/// Chinchilla's law for repeated data: a token is worth less each time that it is repeated, and so is a parameter beyond the
/// number that the different tokens can fill.
/// </summary>
/// <remarks>
/// Muennighoff et al., 2023, https://arxiv.org/abs/2305.16264: D' = U + U R* (1 − exp(−(D/U − 1) / R*)), and N' likewise.
/// </remarks>
/// <param name="Law">The law of data without repetition.</param>
/// <param name="TokenDecay">R_D*, number of repetitions after which a token's worth has fallen to 1/e.</param>
/// <param name="ParameterDecay">R_N*, the same of excess parameters.</param>
public sealed record DataConstrainedLaw(ParametricLaw Law, double TokenDecay, double ParameterDecay)
{
    /// <summary>The constants of Muennighoff et al., 2023.</summary>
    public static DataConstrainedLaw Muennighoff => new(
        new ParametricLaw(Math.Exp(.6254804), Math.Exp(6.255414), Math.Exp(7.3049974), .3526596, .3526596), 15.387756, 5.309743);

    /// <summary>D', number of different tokens that are worth as much.</summary>
    /// <param name="unique">U, number of different tokens.</param>
    /// <param name="tokens">D, number of tokens with repetitions.</param>
    public double EffectiveTokens(double unique, double tokens)
    {
        Require.Positive(unique);
        Require.Positive(tokens);
        return Effective(Math.Min(unique, tokens), tokens, TokenDecay);
    }

    /// <summary>N', number of parameters that are worth as much.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="unique">U, number of different tokens.</param>
    public double EffectiveParameters(double parameters, double unique)
    {
        Require.Positive(parameters);
        Require.Positive(unique);
        return Effective(Math.Min(parameters, BestParameters(unique)), parameters, ParameterDecay);
    }

    /// <summary>U_N, the compute-optimal parameters of a number of tokens that are not repeated.</summary>
    public double BestParameters(double unique)
    {
        var factor = Law.Factor;
        return factor * Math.Pow(factor * unique, Law.ParametersExponent / Law.TokensExponent);
    }

    /// <summary>Predicts the loss of a run, in nats per token.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D, repetitions included.</param>
    /// <param name="unique">U, number of different tokens.</param>
    public double Predict(double parameters, double tokens, double unique) =>
        Law.Predict(EffectiveParameters(parameters, Math.Min(unique, tokens)), EffectiveTokens(unique, tokens));

    /// <summary>Fits R_D* and R_N* to runs with repeated data, for a given law of data without repetition.</summary>
    /// <param name="points">Runs with <see cref="ScalingPoint.UniqueTokens"/>.</param>
    /// <param name="law">The law of data without repetition.</param>
    /// <param name="delta">Threshold of the Huber loss on log L.</param>
    /// <exception cref="ArgumentException">There are too few points, none repeats its data, or a number is not
    /// positive.</exception>
    public static DataConstrainedLaw Fit(IEnumerable<ScalingPoint> points, ParametricLaw law, double delta = 1e-3)
    {
        ArgumentNullException.ThrowIfNull(law);
        Require.Positive(delta);
        var all = ScalingPoints.Checked(points, 2, "a data-constrained law");
        if (!all.Any(point => point.UniqueTokens < point.Tokens))
            throw new ArgumentException("No run repeats its data; set UniqueTokens below Tokens.", nameof(points));
        double Objective(double tokenDecay, double parameterDecay)
        {
            var one = new DataConstrainedLaw(law, Math.Exp(tokenDecay), Math.Exp(parameterDecay));
            return all.Sum(point => Huber(Math.Log(
                one.Predict(point.Parameters, point.Tokens, point.UniqueTokens ?? point.Tokens) / point.Loss), delta));
        }
        double Value(ReadOnlySpan<double> at, Span<double> gradient)
        {
            const double Step = 1e-5;
            gradient[0] = (Objective(at[0] + Step, at[1]) - Objective(at[0] - Step, at[1])) / (2 * Step);
            gradient[1] = (Objective(at[0], at[1] + Step) - Objective(at[0], at[1] - Step)) / (2 * Step);
            return Objective(at[0], at[1]);
        }
        double[] scales = [0, 1, 2, 3, 4];
        var best = Minimizer.FromAll(Value, [.. from one in scales from other in scales select new[] { one, other }], 200)[0];
        return new(law, Math.Exp(best.At[0]), Math.Exp(best.At[1]));
    }

    internal static double Huber(double error, double delta)
    {
        var size = Math.Abs(error);
        return size <= delta ? error * error / 2 : delta * (size - (delta / 2));
    }

    private static double Effective(double unique, double total, double decay) =>
        unique * (1 + (decay * (1 - Math.Exp(-((total / unique) - 1) / decay))));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Law} with R_D* {TokenDecay:0.###}, R_N* {ParameterDecay:0.###}");
}
