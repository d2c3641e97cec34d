using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Logit lens: the stream is decoded as it is, as if the remaining layers added nothing.</summary>
/// <remarks>nostalgebraist, 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru.</remarks>
public sealed class LogitLens : ILens
{
    /// <inheritdoc/>
    public string Name => "logit lens";

    /// <inheritdoc/>
    public Tensor Translate(int layers, Tensor stream) => stream.alias();
}
