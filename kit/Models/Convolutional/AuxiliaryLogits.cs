using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Logits of a network that also classifies half way, so that its lower layers are taught directly.</summary>
/// <param name="Logits">Those of the end, [batch, classes].</param>
/// <param name="Auxiliary">Those of the auxiliary heads, lowest first, each [batch, classes].</param>
public sealed record AuxiliaryLogits(Tensor Logits, IReadOnlyList<Tensor> Auxiliary)
{
    /// <summary>The loss of the end plus a share of the losses half way.</summary>
    /// <param name="loss">From logits to one number, such as the cross entropy with the targets.</param>
    /// <param name="weight">
    /// The share: 0.3 for GoogLeNet (Szegedy et al., 2014, §5), 0.4 for Inception v3 in torchvision's recipe.
    /// </param>
    /// <returns>One number.</returns>
    public Tensor Loss(Func<Tensor, Tensor> loss, double weight)
    {
        using var scope = NewDisposeScope();
        return Auxiliary.Aggregate(loss(Logits), (sum, logits) => sum + (loss(logits) * weight)).MoveToOuterDisposeScope();
    }
}
