using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A layer that can be packed for inference.</summary>
internal interface IPackableLayer
{
    /// <summary>
    /// Packs the weight. From then on the layer computes with the packed weight, and its parameter has no values.
    /// </summary>
    /// <param name="dtype">Dtype of the packed weight: float32 or bfloat16.</param>
    void Pack(ScalarType dtype);
}
