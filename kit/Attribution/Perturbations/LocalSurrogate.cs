using ResearchKit.Tensors;

namespace ResearchKit.Attribution;

/// <summary>
/// A linear model of the score around an input: the regression of Kernel SHAP with weights that fall with the number of absent
/// features (LIME).
/// </summary>
/// <remarks>
/// Ribeiro, Singh and Guestrin, 2016, https://arxiv.org/abs/1602.04938. Coalitions are drawn with each feature present at random;
/// the weight of one is exp(-d²/width²), where d is the cosine distance to the full one. It does not sum to the score.
/// </remarks>
public sealed record LocalSurrogate : AttributionMethod
{
    /// <summary>What replaces absent features, as for <see cref="FeatureAblation"/>; null for zeros.</summary>
    public TorchSharp.torch.Tensor? Baseline { get; init; }

    /// <summary>A number for each value of an example; equal numbers are one feature. Null: each value is a feature.</summary>
    public TorchSharp.torch.Tensor? Groups { get; init; }

    /// <summary>Coalitions that are drawn.</summary>
    public int Samples { get; init; } = 512;

    /// <summary>Width of the weights.</summary>
    public double KernelWidth { get; init; } = 0.25;

    /// <summary>Weight of the squared coefficients.</summary>
    public double Ridge { get; init; } = 1e-3;

    /// <summary>Seed of the coalitions.</summary>
    public int Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "LIME";

    internal override void Check()
    {
        Require.AtLeast(2, Samples);
        Require.Positive(KernelWidth);
        Require.NotNegative(Ridge);
    }

    internal override Found Explain(Explained explained, TorchSharp.torch.Tensor input)
    {
        Coalitions.Limit(Samples, "LIME");
        var coalitions = new Coalitions(explained, FeatureGroups.Of(Groups, input), input, Baselines.Of(Baseline, input));
        var (random, players) = (new Random(Seed), coalitions.Players);
        var present = Enumerable.Range(0, Samples).Select(at =>
            Enumerable.Range(0, players).Select(_ => at == 0 || random.Next(2) == 1).ToArray()).ToList();
        var weights = present.Select(row =>
            Math.Exp(-Math.Pow(1 - Math.Sqrt(row.Count(member => member) / (double)players), 2) / (KernelWidth * KernelWidth)))
                .ToList();
        return new Found(coalitions.Spread(CoalitionRegression.WithIntercept(present, weights, coalitions.Values(present),
            Ridge)))
        {
            Notes = [$"{players} features, {Samples} coalitions, seed {Seed}",
                Baseline is null ? "baseline 0" : "given baseline"],
        };
    }
}
