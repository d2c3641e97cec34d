using ResearchKit.Layers;

namespace ResearchKit.Models;

/// <summary>One layer of a decoder, for steps of one token: x ← x + attention(norm(x)); x ← x + mlp(norm(x)).</summary>
/// <param name="FirstNorm">The norm before the attention.</param>
/// <param name="Projections">Query, key and value, in this order: one product, or three.</param>
/// <param name="Output">The attention's output layer.</param>
/// <param name="SecondNorm">The norm before the MLP.</param>
/// <param name="Inner">The MLP's first layer, before the activation.</param>
/// <param name="Factor">What the activation is multiplied by, in a gated MLP; null for none.</param>
/// <param name="Outer">The MLP's last layer.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyHeads">Key and value heads.</param>
internal sealed record StepLayer(StepNorm FirstNorm, IReadOnlyList<StepProduct> Projections, StepProduct Output,
    StepNorm SecondNorm, StepProduct Inner, StepProduct? Factor, StepProduct Outer, int Heads, int KeyHeads)
{
    /// <summary>All its products.</summary>
    public IEnumerable<StepProduct> Products =>
        [.. Projections, Output, Inner, .. Factor is null ? Array.Empty<StepProduct>() : [Factor], Outer];
}
