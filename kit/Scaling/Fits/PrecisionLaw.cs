using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>A trained model whose weights were quantized.</summary>
/// <param name="Parameters">N.</param>
/// <param name="Tokens">D, tokens of its training.</param>
/// <param name="Bits">Bits of a quantized weight.</param>
/// <param name="Degradation">How much the loss rose by quantization, in nats per token.</param>
public sealed record PrecisionPoint(double Parameters, double Tokens, double Bits, double Degradation);

/// <summary>
/// How much quantization after training raises the loss: δ = C D^γ_D / N^γ_N exp(−P / γ), more for models that were trained on
/// more tokens.
/// </summary>
/// <remarks>Kumar et al., 2024, https://arxiv.org/abs/2411.04330, §3.</remarks>
/// <param name="Coefficient">C.</param>
/// <param name="TokensExponent">γ_D.</param>
/// <param name="ParametersExponent">γ_N.</param>
/// <param name="BitScale">γ, number of bits that lower the term by a factor e.</param>
public sealed record PrecisionLaw(double Coefficient, double TokensExponent, double ParametersExponent, double BitScale)
{
    /// <summary>Predicts how much the loss rises, in nats per token.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="bits">P, bits of a quantized weight.</param>
    public double Degradation(double parameters, double tokens, double bits) => Coefficient * Math.Pow(tokens, TokensExponent)
        / Math.Pow(parameters, ParametersExponent) * Math.Exp(-bits / BitScale);

    /// <summary>Predicts the loss of a quantized model: that of the law, and the degradation.</summary>
    public double Predict(ParametricLaw law, double parameters, double tokens, double bits)
    {
        ArgumentNullException.ThrowIfNull(law);
        return law.Predict(parameters, tokens) + Degradation(parameters, tokens, bits);
    }

    /// <summary>Fits the law: the Huber loss of log δ, which is linear in the parameters.</summary>
    /// <param name="points">Models of different sizes, tokens and bits.</param>
    /// <param name="delta">Threshold of the Huber loss; infinite for least squares.</param>
    /// <exception cref="ArgumentException">There are fewer than four points, or a number is not positive.</exception>
    public static PrecisionLaw Fit(IReadOnlyList<PrecisionPoint> points, double delta = double.PositiveInfinity)
    {
        ArgumentNullException.ThrowIfNull(points);
        Require.That(delta > 0, delta, nameof(delta), "above 0");
        ScalingPoints.Enough(points.Count, 4, "the precision law");
        for (var i = 0; i < points.Count; i++)
            foreach (var (name, value) in new[] { ("parameters", points[i].Parameters), ("tokens", points[i].Tokens),
                ("bits", points[i].Bits), ("a degradation", points[i].Degradation) })
                ScalingPoints.Positive(name, value, i);
        // about the means, so that the four directions are of similar size
        double Center(Func<PrecisionPoint, double> of, out double[] centered)
        {
            var middle = points.Average(of);
            centered = [.. points.Select(point => of(point) - middle)];
            return middle;
        }
        var tokens = Center(point => Math.Log(point.Tokens), out var byTokens);
        var parameters = Center(point => -Math.Log(point.Parameters), out var byParameters);
        var bits = Center(point => -point.Bits, out var byBits);
        var terms = new PowerTerms(4, [new([(0, null), (1, byTokens), (2, byParameters), (3, byBits)])],
            points.Select(point => point.Degradation), delta);
        var best = Minimizer.FromAll(terms.Value, [[-3, 0.5, 0.5, 1], [0, 0, 0, 0]], 1000)[0].At;
        return new(Math.Exp(best[0] - (best[1] * tokens) - (best[2] * parameters) - (best[3] * bits)), best[1], best[2],
            1 / best[3]);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"δ = {Coefficient:0.###e0} D^{TokensExponent:0.###} / N^{ParametersExponent:0.###} exp(-P / {BitScale:0.###})");
}
