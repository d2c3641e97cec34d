using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Logits of a network with auxiliary classifiers at intermediate layers, which provide gradients to the lower
/// layers.
/// </summary>
/// <param name="Logits">Logits of the final head, [batch, classes].</param>
/// <param name="Auxiliary">Logits of the auxiliary heads, lowest first, each [batch, classes].</param>
public sealed record AuxiliaryLogits(Tensor Logits, IReadOnlyList<Tensor> Auxiliary)
{
    /// <summary>Returns the loss of the final head plus the weighted losses of the auxiliary heads.</summary>
    /// <param name="loss">Computes a scalar loss from logits, such as the cross entropy with the targets.</param>
    /// <param name="weight">
    /// Weight of the auxiliary losses: 0.3 for GoogLeNet (Szegedy et al., 2014, §5), 0.4 for Inception v3 in
    /// torchvision's recipe.
    /// </param>
    /// <returns>The loss, a scalar.</returns>
    public Tensor Loss(Func<Tensor, Tensor> loss, double weight)
    {
        using var scope = NewDisposeScope();
        return Auxiliary.Aggregate(loss(Logits), (sum, logits) => sum + (loss(logits) * weight)).MoveToOuterDisposeScope();
    }
}
