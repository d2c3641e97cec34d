using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Puts codes into the place of a model's weights.</summary>
internal static class QuantizedModel
{
    /// <summary>Replaces the weights of layers; the model then infers only.</summary>
    /// <param name="model">The model that the layers belong to.</param>
    /// <param name="layers">
    /// Each layer with its codes, disposed as soon as it is replaced, and the scale of static inputs.
    /// </param>
    public static void Hold(
        nn.Module model, IEnumerable<(IQuantizableLayer Layer, QuantizedTensor Codes, float? InputScale)> layers)
    {
        model.eval();
        var root = new WeakReference<nn.Module>(model);
        // the largest last, when the weights of the others are freed
        foreach (var (layer, codes, inputScale) in layers.OrderBy(one => one.Codes.Codes.numel()))
        {
            layer.Hold(new QuantizedWeight(codes, inputScale) { Model = root });
            codes.Dispose();
        }
        foreach (var parameter in model.parameters()) parameter.requires_grad = false;
    }
}
