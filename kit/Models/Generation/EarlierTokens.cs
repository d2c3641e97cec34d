using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Keys and values of tokens before those of a pass, the same for many variants of the rest of a text.</summary>
/// <param name="Layers">Keys and values of each layer, [example, key head, earlier time, d_head].</param>
internal sealed record EarlierTokens(IReadOnlyList<(Tensor Keys, Tensor Values)> Layers)
{
    /// <summary>Returns the earlier keys and values of a layer, followed by new ones.</summary>
    /// <param name="layer">Index of the layer, from 0.</param>
    /// <param name="keys">[variant · example, key head, time, d_head].</param>
    /// <param name="values">[variant · example, key head, time, d_head].</param>
    public (Tensor Keys, Tensor Values) Extend(int layer, Tensor keys, Tensor values)
    {
        var (earlierKeys, earlierValues) = Layers[layer];
        var variants = keys.shape[0] / earlierKeys.shape[0];
        return (cat([Repeated(earlierKeys, variants), keys], 2), cat([Repeated(earlierValues, variants), values], 2));
    }

    private static Tensor Repeated(Tensor x, long variants) => variants == 1 ? x : x.repeat(variants, 1, 1, 1);
}
