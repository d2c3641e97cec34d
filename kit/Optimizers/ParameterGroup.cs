using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Parameters with a learning rate or a weight decay of their own.</summary>
/// <param name="Holds">Which parameters are in the group, by name and value; see
/// <see cref="ParameterRules"/>.</param>
public sealed record ParameterGroup(Func<string, Tensor, bool> Holds)
{
    /// <summary>Factor on the optimizer's learning rate.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>
    /// Weight decay of the group; null for the optimizer's. The rule <see cref="OptimizerSettings.Decays"/> applies
    /// to the group too.
    /// </summary>
    public double? WeightDecay { get; init; }

    internal void Check()
    {
        Require.NotNegative(LearningRateFactor);
        if (WeightDecay is { } decay) Require.NotNegative(decay, nameof(WeightDecay));
    }
}
