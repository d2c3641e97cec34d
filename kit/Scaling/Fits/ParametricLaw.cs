using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>The best split of a compute budget into parameters and tokens.</summary>
/// <param name="Compute">C, the budget in operations (FLOPs).</param>
/// <param name="Parameters">N, number of parameters.</param>
/// <param name="Tokens">D, number of tokens; C = 6 N D.</param>
/// <param name="Loss">Predicted loss, in nats per token.</param>
public sealed record ComputeOptimum(double Compute, double Parameters, double Tokens, double Loss)
{
    /// <summary>D / N.</summary>
    public double TokensPerParameter => Tokens / Parameters;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"C {Compute:0.###e0}: N {Parameters:0.###e0}, D {Tokens:0.###e0} ({TokensPerParameter:0.#} tokens a parameter), loss {Loss:0.####}");
}

/// <summary>Chinchilla's law: L(N, D) = E + A / N^α + B / D^β.</summary>
/// <remarks>Hoffmann et al., 2022, https://arxiv.org/abs/2203.15556, approach 3.</remarks>
/// <param name="E">Irreducible loss, in nats per token.</param>
/// <param name="A">Coefficient of the parameters.</param>
/// <param name="B">Coefficient of the tokens.</param>
/// <param name="Alpha">Exponent of the parameters.</param>
/// <param name="Beta">Exponent of the tokens.</param>
public sealed record ParametricLaw(double E, double A, double B, double Alpha, double Beta)
{
    /// <summary>The rounded constants of Hoffmann et al., 2022.</summary>
    public static ParametricLaw Hoffmann => new(1.69, 406.4, 410.7, 0.34, 0.28);

    /// <summary>The rounded constants of the refit by Besiroglu et al., 2024, https://arxiv.org/abs/2404.10102.</summary>
    public static ParametricLaw Epoch => new(1.8172, 482.01, 2085.43, 0.3478, 0.3658);

    /// <summary>a, the exponent of the best N over the budget: β / (α + β).</summary>
    public double ParametersExponent => Beta / (Alpha + Beta);

    /// <summary>b, the exponent of the best D over the budget: α / (α + β).</summary>
    public double TokensExponent => Alpha / (Alpha + Beta);

    /// <summary>G = (α A / (β B))^(1 / (α + β)), the factor of the best N.</summary>
    internal double Factor => Math.Pow(Alpha * A / (Beta * B), 1 / (Alpha + Beta));

    /// <summary>Predicts the loss of a run, in nats per token.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    public double Predict(double parameters, double tokens) =>
        E + (A * Math.Pow(parameters, -Alpha)) + (B * Math.Pow(tokens, -Beta));

    /// <summary>Computes the best parameters and tokens of a budget, where α A / N^α = β B / D^β and C = 6 N D.</summary>
    /// <param name="compute">C, in operations.</param>
    public ComputeOptimum Optimum(double compute)
    {
        Require.Positive(compute);
        var parameters = Factor * Math.Pow(compute / 6, ParametersExponent);
        var tokens = compute / 6 / parameters;
        return new(compute, parameters, tokens, Predict(parameters, tokens));
    }

    /// <summary>Fits the law: the Huber loss of log L, minimized from each start of a grid.</summary>
    /// <param name="points">Runs of different sizes and data.</param>
    /// <param name="options">Options; null for those of Hoffmann et al.</param>
    /// <param name="cancel">Ends the fit.</param>
    /// <exception cref="ArgumentException">
    /// There are fewer points than parameters, a number is not positive, or the runs differ in data.
    /// </exception>
    public static ParametricFit Fit(IEnumerable<ScalingPoint> points, FitOptions? options = null,
        CancellationToken cancel = default)
    {
        options = (options ?? new()).Validated();
        var all = ScalingPoints.Checked(points, 5, "Chinchilla's law");
        var starts = options.StartValues();
        var minima = Minimizer.FromAll(Terms(all, options.Delta).Value, starts, cancel: cancel);
        if (options.DroppedPoints > 0)
        {
            ScalingPoints.Enough(all.Count - options.DroppedPoints, 5, "Chinchilla's law without the dropped points");
            var law = From(minima[0].At);
            all = [.. all.OrderBy(point => Math.Abs(law.LogError(point))).SkipLast(options.DroppedPoints)];
            minima = Again(all, minima, options.Delta);
        }
        return new ParametricFit(From(minima[0].At), minima[0].Value, all, starts.Count, Unseen(all, minima, options))
        {
            Options = options,
            Minima = minima,
        };
    }

    /// <summary>log of the predicted over the measured loss.</summary>
    internal double LogError(ScalingPoint point) => Math.Log(Predict(point.Parameters, point.Tokens) / point.Loss);

    internal static ParametricLaw From(double[] at) => new(Math.Exp(at[2]), Math.Exp(at[0]), Math.Exp(at[1]), at[3], at[4]);

    /// <summary>The terms of the law; parameters log A, log B, log E, α, β.</summary>
    internal static PowerTerms Terms(IReadOnlyList<ScalingPoint> points, double delta) => new(5,
    [
        new([(0, null), (3, [.. points.Select(point => -Math.Log(point.Parameters))])]),
        new([(1, null), (4, [.. points.Select(point => -Math.Log(point.Tokens))])]),
        new([(2, null)]),
    ], points.Select(point => point.Loss), delta);

    private static List<Minimum> Again(IReadOnlyList<ScalingPoint> points, IReadOnlyList<Minimum> minima, double delta)
    {
        var terms = Terms(points, delta);
        return [.. minima.Select(one => Minimizer.From(terms.Value, one.At, 2000)).OrderBy(one => one.Value)];
    }

    /// <summary>The error on the runs of the most operations of a fit that does not see them; null for too few points.</summary>
    private static FitError? Unseen(IReadOnlyList<ScalingPoint> points, IReadOnlyList<Minimum> minima, FitOptions options)
    {
        var hidden = (int)Math.Round(points.Count * options.HeldOutShare);
        if (hidden == 0 || points.Count - hidden < 6) return null;
        var ordered = points.OrderBy(point => point.Compute).ToList();
        var law = From(Again(ordered[..^hidden], minima, options.Delta)[0].At);
        return FitError.Of(ordered[^hidden..].Select(law.LogError));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"L = {E:0.####} + {A:0.##} / N^{Alpha:0.####} + {B:0.##} / D^{Beta:0.####}");
}
