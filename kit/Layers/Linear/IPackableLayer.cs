using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A layer that has a form for inference.</summary>
internal interface IPackableLayer
{
    /// <summary>
    /// Lays the weight out for inference; from then on the layer computes with that, and its parameter holds no numbers.
    /// </summary>
    /// <param name="dtype">Of the packed weight: float32 or bfloat16.</param>
    void Pack(ScalarType dtype);
}
