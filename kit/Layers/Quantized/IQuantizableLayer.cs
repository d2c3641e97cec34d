using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A linear layer or a convolution whose weight can be replaced by its codes.</summary>
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

    /// <summary>Whether it multiplies at all, in a way that codes can take.</summary>
    bool IsOffered => true;

    /// <summary>
    /// The weight as [out, in], a view; the caller disposes it. A convolution's inputs are the numbers in its window.
    /// </summary>
    Tensor Matrix();

    /// <summary>What the matrix multiplies for an input of the layer: [..., in].</summary>
    /// <param name="x">The layer's input.</param>
    /// <returns>The input itself, or a new tensor in the current dispose scope.</returns>
    Tensor Rows(Tensor x) => x;

    /// <summary>The codes in the form that <see cref="Hold"/> takes.</summary>
    /// <param name="codes">Of <see cref="Matrix"/>; the caller keeps it.</param>
    /// <param name="inputScale">Scale of all inputs, for static 8-bit inputs; else null.</param>
    QuantizedWeight Made(QuantizedTensor codes, float? inputScale) => new(codes, inputScale);

    /// <summary>Replaces the weight. The parameter keeps its shape and has no values any more.</summary>
    void Hold(QuantizedWeight quantized);

    /// <summary>The layers of a model that can be quantized, by name.</summary>
    /// <param name="model">
    /// A model of the kit, or one of the user's with the kit's or TorchSharp's linear layers and convolutions.
    /// </param>
    static IEnumerable<(string Name, IQuantizableLayer Layer)> Of(nn.Module model)
    {
        foreach (var (name, module) in model.named_modules().Prepend(("", model)))
            if (module is IQuantizableLayer { IsOffered: true } layer) yield return (name, layer);
            else if (module is TorchSharp.Modules.Linear linear) yield return (name, new HookedLinear(linear));
            else if (module is TorchSharp.Modules.Conv2d convolution && HookedConvolution.GeometryOf(convolution) is { } geometry)
                yield return (name, new HookedConvolution(convolution, geometry));
    }
}
