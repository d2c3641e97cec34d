using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>
/// Why Kaplan et al. found another exponent than Hoffmann et al.: they did not count embeddings, neither in the parameters nor in
/// the operations, and their models were small.
/// </summary>
/// <remarks>
/// Pearce and Song, 2024, https://arxiv.org/abs/2406.12907. All parameters are N_T = N + ω N^(1/3) for N without
/// embeddings. A law
/// of N_T then gives a best N that is no power law of C = 6 N D; the exponent is that of the straight line through its logarithms
/// over a range of budgets.
/// </remarks>
public static class Reconciliation
{
    /// <summary>ω of the models of Hoffmann et al., by Pearce and Song.</summary>
    public const double EmbeddingFactor = 47_491;

    /// <summary>All parameters, with embeddings, of a model with N others.</summary>
    /// <param name="parameters">N, without embeddings.</param>
    /// <param name="factor">ω.</param>
    public static double WithEmbeddings(double parameters, double factor = EmbeddingFactor) =>
        parameters + (factor * Math.Cbrt(parameters));

    /// <summary>The exponent of the best N over C, if embeddings are counted in neither.</summary>
    /// <param name="law">A law of all parameters.</param>
    /// <param name="lowest">Smallest budget, in operations without embeddings.</param>
    /// <param name="highest">Largest budget.</param>
    /// <param name="budgets">Number of budgets, equally far apart in logarithms.</param>
    /// <param name="factor">ω.</param>
    public static double ParametersExponent(ParametricLaw law, double lowest, double highest, int budgets = 50,
        double factor = EmbeddingFactor) => Line(law, lowest, highest, budgets, factor, best => best.Parameters).Exponent;

    /// <summary>The exponent of the least loss over C, if embeddings are counted in neither.</summary>
    /// <inheritdoc cref="ParametersExponent"/>
    public static double LossExponent(ParametricLaw law, double lowest, double highest, int budgets = 50,
        double factor = EmbeddingFactor) => Line(law, lowest, highest, budgets, factor, best => best.Loss).Exponent;

    /// <summary>The best parameters and tokens of a budget, if embeddings are counted in neither.</summary>
    /// <param name="law">A law of all parameters.</param>
    /// <param name="compute">C = 6 N D, in operations without embeddings.</param>
    /// <param name="factor">ω.</param>
    public static ComputeOptimum Optimum(ParametricLaw law, double compute, double factor = EmbeddingFactor)
    {
        ArgumentNullException.ThrowIfNull(law);
        Require.Positive(compute);
        double Loss(double log) => law.Predict(WithEmbeddings(Math.Exp(log), factor), compute / 6 / Math.Exp(log));
        double low = 0, high = Math.Log(compute / 6);
        var ratio = (Math.Sqrt(5) - 1) / 2;
        while (high - low > 1e-9)   // golden-section search: the loss has one minimum
        {
            var left = high - (ratio * (high - low));
            var right = low + (ratio * (high - low));
            if (Loss(left) < Loss(right)) high = right;
            else low = left;
        }
        var parameters = Math.Exp((low + high) / 2);
        return new(compute, parameters, compute / 6 / parameters, Loss((low + high) / 2));
    }

    private static PowerLaw Line(ParametricLaw law, double lowest, double highest, int budgets, double factor,
        Func<ComputeOptimum, double> number)
    {
        Require.Positive(lowest);
        Require.That(highest > lowest, highest, nameof(highest), $"above {lowest}");
        Require.AtLeast(2, budgets);
        double[] computes = [.. Enumerable.Range(0, budgets)
            .Select(index => lowest * Math.Pow(highest / lowest, index / (budgets - 1.0)))];
        return PowerLaw.Fit(computes, [.. computes.Select(compute => number(Optimum(law, compute, factor)))]);
    }
}
