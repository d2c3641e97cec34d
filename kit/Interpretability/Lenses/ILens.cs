using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>
/// Translates the residual stream after some layers into what the last layer would leave, so that the model's own output layer
/// can decode it.
/// </summary>
public interface ILens
{
    /// <summary>Its name, such as "logit lens".</summary>
    string Name { get; }

    /// <summary>Translates a stream.</summary>
    /// <param name="layers">Number of layers that the stream has passed: 0 for the embeddings.</param>
    /// <param name="stream">[..., channels].</param>
    /// <returns>[..., channels], before the final norm; after the last layer the stream itself.</returns>
    Tensor Translate(int layers, Tensor stream);
}
