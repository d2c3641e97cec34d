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
        nn.Module model, IEnumerable<(IQuantizableLayer Layer, QuantizedTensor Codes, float? InputScale)> layers) =>
        // the largest last, when the weights of the others are freed
        Hold(model, layers.OrderBy(one => one.Codes.Codes.numel()).Select(one =>
        {
            using var codes = one.Codes;
            return (one.Layer, one.Layer.Made(codes, one.InputScale));
        }));

    /// <inheritdoc cref="Hold(nn.Module, IEnumerable{ValueTuple{IQuantizableLayer, QuantizedTensor, float?}})"/>
    /// <param name="model">The model that the layers belong to.</param>
    /// <param name="layers">Each layer with its new weight; each is held before the next is asked for.</param>
    public static void Hold(nn.Module model, IEnumerable<(IQuantizableLayer Layer, QuantizedWeight Weight)> layers)
    {
        model.eval();
        var root = new WeakReference<nn.Module>(model);
        foreach (var (layer, weight) in layers)
        {
            weight.Model = root;
            layer.Hold(weight);
        }
        foreach (var parameter in model.parameters()) parameter.requires_grad = false;
    }
}
