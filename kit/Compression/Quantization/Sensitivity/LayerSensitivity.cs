using ResearchKit.Tensors;

namespace ResearchKit.Compression;

/// <summary>What one layer of a model costs when it alone is quantized, for several schemes.</summary>
/// <param name="Name">Its place in the module tree.</param>
/// <param name="Weights">Number of its weights.</param>
/// <param name="Schemes">One entry for each scheme that was tried.</param>
public sealed record LayerSensitivity(string Name, long Weights, IReadOnlyList<SchemeCost> Schemes)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}: " + string.Join(", ", Schemes.Select(cost => cost.ToString()));
}

/// <summary>What a scheme costs in one layer.</summary>
/// <param name="Scheme">The grid.</param>
/// <param name="BitsPerWeight">Bits of a weight with its share of scales and zero points.</param>
/// <param name="Rise">
/// How much the model's loss rises; without a loss, the squared relative error of the layer's output.
/// </param>
public sealed record SchemeCost(QuantizationScheme Scheme, double BitsPerWeight, double Rise)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Rise:g3} at {BitsPerWeight:0.##} bits");
}

/// <summary>A choice of schemes by layer.</summary>
/// <param name="Layers">Names of the layers with the chosen cost.</param>
/// <param name="BitsPerWeight">Mean bits of their weights, with scales and zero points.</param>
/// <param name="Rise">Sum of the costs.</param>
public sealed record BitAllocation(IReadOnlyList<(string Name, SchemeCost Cost)> Layers, double BitsPerWeight, double Rise)
{
    /// <summary>The choice as <see cref="QuantizationPlan.Overrides"/>.</summary>
    public IReadOnlyList<(string Names, QuantizationScheme? Scheme)> Overrides =>
        [.. Layers.Select(layer => (layer.Name, (QuantizationScheme?)layer.Cost.Scheme))];

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{BitsPerWeight:0.##} bits a weight: ")
        + string.Join(", ", Layers.GroupBy(layer => layer.Cost.Scheme).Select(group => $"{group.Count()} layers {group.Key}"));
}
