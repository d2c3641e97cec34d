using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Parameters with a learning rate or a weight decay of their own.</summary>
/// <param name="Holds">Which they are, by name and value; see <see cref="ParameterRules"/>.</param>
public sealed record ParameterGroup(Func<string, Tensor, bool> Holds)
{
    /// <summary>Their rate is the optimizer's times this.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Their weight decay; null for the optimizer's. The optimizer's rule on what decays holds here too.</summary>
    public double? WeightDecay { get; init; }

    internal void Check()
    {
        Require.NotNegative(LearningRateFactor);
        if (WeightDecay is { } decay) Require.NotNegative(decay, nameof(WeightDecay));
    }
}
