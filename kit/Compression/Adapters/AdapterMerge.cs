using System.Text;

namespace ResearchKit.Compression;

/// <summary>A layer whose adapter was merged into its weight.</summary>
/// <param name="Name">Its place in the module tree.</param>
/// <param name="RoundingError">
/// Where the weight is quantized: norm of the error of rounding the sum to codes over the norm of the sum; else null.
/// </param>
public sealed record AdaptedLayer(string Name, double? RoundingError);

/// <summary>What merging the adapters of a model did.</summary>
/// <param name="Layers">The layers in the order of the module tree.</param>
public sealed record AdapterMerge(IReadOnlyList<AdaptedLayer> Layers)
{
    /// <summary>Largest rounding error of a layer; null where no weight is quantized.</summary>
    public double? LargestRoundingError => Layers.Max(layer => layer.RoundingError);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(FormattableString.Invariant($"{Layers.Count} adapters merged"));
        if (LargestRoundingError is { } largest)
            text.Append(FormattableString.Invariant($"; rounding to codes again changed the weights by up to {largest:p2}"));
        foreach (var layer in Layers)
            if (layer.RoundingError is { } error) text.Append(FormattableString.Invariant($"\n{layer.Name}: {error:p2}"));
        return text.ToString();
    }
}
