using ResearchKit.Tensors;

namespace ResearchKit.Interpretability;

/// <summary>How a sweep of activation patching runs.</summary>
public sealed record PatchingOptions
{
    /// <summary>
    /// Whether values are shares: 0 = as without a patch, 1 = as in the run from which the activations come.
    /// </summary>
    public bool Normalized { get; init; }

    /// <summary>
    /// Positions that are patched: the columns of a sweep over positions, and where heads are patched; null for all.
    /// </summary>
    public IReadOnlyList<int>? Positions { get; init; }

    /// <summary>
    /// Whether every cell runs the whole model, as a check: models other than Gpt and Llama always do.
    /// </summary>
    public bool WholeForwards { get; init; }

    /// <summary>Most tokens of one pass, over all variants that run together.</summary>
    public int TokensAtOnce { get; init; } = 4096;

    internal PatchingOptions Validated()
    {
        Require.AtLeast(1, TokensAtOnce);
        return this;
    }
}
