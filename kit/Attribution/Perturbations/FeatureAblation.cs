using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>How much the score falls when a feature, or a group of features, is replaced by the baseline.</summary>
/// <remarks>
/// It does not sum to the score: features that stand in for each other get too little, those that act together too much.
/// </remarks>
public sealed record FeatureAblation : AttributionMethod
{
    /// <summary>
    /// What replaces the features: [batch, ...], [1, ...] or [...] of an example's shape, tokens for tokens; null for zeros.
    /// </summary>
    public Tensor? Baseline { get; init; }

    /// <summary>
    /// A number for each value of an example; equal numbers are a group. Null: each value is a feature of its own.
    /// </summary>
    public Tensor? Groups { get; init; }

    /// <inheritdoc/>
    public override string Name => "feature ablation";

    internal override Found Explain(Explained explained, Tensor input)
    {
        var (baseline, groups) = (Baselines.Of(Baseline, input), FeatureGroups.Of(Groups, input));
        var scores = explained.ScoresOf(groups.Count, (from, to) =>
        {
            var present = ones([to - from, groups.Count], @bool, input.device);
            for (var at = from; at < to; at++) present[at - from, at] = false;
            return groups.Apply(present, input, baseline);
        });
        var fall = explained.Scores(input) - scores;   // [groups, batch]
        return new Found(groups.Spread(fall.t()))
        {
            Notes =
            [$"{groups.Count} groups", Baseline is null ? "baseline 0" : "given baseline"]
        };
    }
}

/// <summary>How much the score falls when a feature takes the value that it has in another example of the batch.</summary>
public sealed record FeaturePermutation : AttributionMethod
{
    /// <summary>
    /// New row i of a feature is the old row at entry i, int64 [batch]; null to draw one by <see cref="Seed"/>.
    /// </summary>
    public Tensor? Permutation { get; init; }

    /// <summary>Seed of the permutation.</summary>
    public int Seed { get; init; }

    /// <summary>
    /// A number for each value of an example; equal numbers are a group. Null: each value is a feature of its own.
    /// </summary>
    public Tensor? Groups { get; init; }

    /// <inheritdoc/>
    public override string Name => "feature permutation";

    internal override Found Explain(Explained explained, Tensor input)
    {
        using var generator = new Generator((ulong)Seed, CPU);
        var order = Permutation ?? randperm(input.shape[0], dtype: int64, generator: generator);
        if (order.dim() != 1 || order.shape[0] != input.shape[0]
            || !order.sort().Values.to(int64).Equals(arange(input.shape[0], dtype: int64, device: order.device)))
            throw new ArgumentException($"Permutation must name each of the {input.shape[0]} examples once.");
        return new FeatureAblation { Baseline = input.index_select(0, order.to(int64).to(input.device)), Groups = Groups }
            .Explain(explained, input) with
        { Notes = [Permutation is null ? $"seed {Seed}" : "given permutation"] };
    }
}
