using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>How Shapley values are computed.</summary>
public enum ShapleyAlgorithm
{
    /// <summary>From all coalitions.</summary>
    Exact,

    /// <summary>
    /// The mean over random orders of the features, each taken forwards and backwards. Štrumbelj and Kononenko, 2014; Mitchell et
    /// al., 2022.
    /// </summary>
    Permutation,

    /// <summary>
    /// A weighted least-squares regression on coalitions, its sum fixed to the change of the score (Kernel SHAP, Lundberg and
    /// Lee, 2017, https://arxiv.org/abs/1705.07874); all coalitions where they are few enough, which is exact.
    /// </summary>
    Kernel,

    /// <summary>
    /// Owen values of a binary tree over the features in their order, the "partition" explainer of SHAP: exact Shapley values of
    /// the game in which the branches of each node act as players. Far fewer coalitions.
    /// </summary>
    Partition,
}

/// <summary>
/// Shares the change of the score between the features: the mean change that a feature makes when it joins, over all orders in
/// which the features can join.
/// </summary>
/// <remarks>
/// Shapley, 1953. Absent features are replaced by the baseline. The values sum to the score less that of the baseline. Features
/// of no effect get 0, and features of equal effect get equal values (in expectation where orders are sampled).
/// </remarks>
public sealed record ShapleyValues : AttributionMethod
{
    /// <summary>What replaces absent features, as for <see cref="FeatureAblation"/>; null for zeros.</summary>
    public Tensor? Baseline { get; init; }

    /// <summary>A number for each value of an example; equal numbers are one feature. Null: each value is a feature.</summary>
    public Tensor? Groups { get; init; }

    /// <summary>How they are computed.</summary>
    public ShapleyAlgorithm Algorithm { get; init; }

    /// <summary>
    /// Orders of <see cref="ShapleyAlgorithm.Permutation"/>, or coalitions of <see cref="ShapleyAlgorithm.Kernel"/>.
    /// </summary>
    public int Samples { get; init; } = 512;

    /// <summary>Seed of the samples.</summary>
    public int Seed { get; init; }

    /// <summary>The largest completeness gap that counts as none, relative to the change of the score.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <inheritdoc/>
    public override string Name => Algorithm switch
    {
        ShapleyAlgorithm.Permutation => "Shapley values by permutations",
        ShapleyAlgorithm.Kernel => "kernel SHAP",
        ShapleyAlgorithm.Partition => "Owen values of a binary partition",
        _ => "Shapley values",
    };

    internal override void Check() => Require.AtLeast(1, Samples);

    internal override Found Explain(Explained explained, Tensor input)
    {
        var baseline = Baselines.Of(Baseline, input);
        var coalitions = new Coalitions(explained, FeatureGroups.Of(Groups, input), input, baseline);
        var players = coalitions.Players;
        var values = Algorithm switch
        {
            ShapleyAlgorithm.Permutation => PermutationShapley.Of(coalitions, Samples, Seed),
            ShapleyAlgorithm.Kernel => KernelShapley.Of(coalitions, Samples, Seed),
            ShapleyAlgorithm.Partition => OwenValues.Of(coalitions),
            _ => Exact(coalitions),
        };
        var ends = coalitions.Values([new bool[players], [.. Enumerable.Repeat(true, players)]]);
        var sums = tensor(values.Select(row => row.Sum()).ToArray());
        var changes = tensor(ends[1].Zip(ends[0], (end, start) => end - start).ToArray());
        return new Found(coalitions.Spread(values))
        {
            Notes = [$"{players} features, {coalitions.Asked} coalitions", Baseline is null ? "baseline 0" : "given baseline"],
        }.Complete(sums, changes, Tolerance);
    }

    /// <summary>φ_i = Σ over coalitions S without i of |S|! (n - |S| - 1)! / n! · (v(S + i) - v(S)).</summary>
    private static double[][] Exact(Coalitions coalitions)
    {
        var players = coalitions.Players;
        var value = coalitions.Values(coalitions.All());
        var weight = Weights(players);
        var shares = Enumerable.Range(0, coalitions.Examples).Select(_ => new double[players]).ToArray();
        for (var number = 0; number < value.Length; number++)
        {
            var size = System.Numerics.BitOperations.PopCount((uint)number);
            for (var player = 0; player < players; player++)
                if (((number >> player) & 1) == 0)
                    for (var example = 0; example < shares.Length; example++)
                        shares[example][player] += weight[size]
                            * (value[number | (1 << player)][example] - value[number][example]);
        }
        return shares;
    }

    /// <summary>|S|! (n - |S| - 1)! / n! by the size of S.</summary>
    internal static double[] Weights(int players)
    {
        var weights = new double[players];
        var choose = 1.0;
        for (var size = 0; size < players; size++)
        {
            weights[size] = 1 / (players * choose);
            choose = choose * (players - 1 - size) / (size + 1);
        }
        return weights;
    }
}
