using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A linear layer whose weight can be replaced by its codes.</summary>
internal interface IQuantizableLayer
{
    /// <summary>The layer itself.</summary>
    nn.Module Module { get; }

    /// <summary>Its adapter; null where there is none.</summary>
    LowRankAdapter? Adapter { get; }

    /// <summary>Its packed or quantized weight; null where it has its parameter alone.</summary>
    PackedMatrix? Packed => null;

    /// <summary>Whether it is an embedding table that is the output layer too.</summary>
    bool IsTable => false;

    /// <summary>Whether it multiplies at all.</summary>
    bool IsOffered => true;

    /// <summary>The weight as [out, in], a view; the caller disposes it.</summary>
    Tensor Matrix();

    /// <summary>Replaces the weight. The parameter keeps its shape and has no values any more.</summary>
    void Hold(QuantizedWeight quantized);

    /// <summary>The layers of a model that can be quantized, by name.</summary>
    /// <param name="model">A model of the kit, or one of the user's with the kit's or TorchSharp's linear layers.</param>
    static IEnumerable<(string Name, IQuantizableLayer Layer)> Of(nn.Module model)
    {
        foreach (var (name, module) in model.named_modules().Prepend(("", model)))
            if (module is IQuantizableLayer { IsOffered: true } layer) yield return (name, layer);
            else if (module is TorchSharp.Modules.Linear linear) yield return (name, new HookedLinear(linear));
    }
}
