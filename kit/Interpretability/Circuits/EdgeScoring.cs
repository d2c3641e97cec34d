namespace ResearchKit.Interpretability;

/// <summary>How edges are scored.</summary>
public enum EdgeScoring
{
    /// <summary>
    /// Edge attribution patching (EAP): one backward pass for all edges. Syed et al., 2023, https://arxiv.org/abs/2310.10348.
    /// </summary>
    AttributionPatching,

    /// <summary>
    /// EAP with integrated gradients: the gradient is averaged while the embeddings move from those of the corrupted input to
    /// those of the clean one. Hanna et al., 2024, https://arxiv.org/abs/2403.17806.
    /// </summary>
    IntegratedGradients,

    /// <summary>Activation patching of every edge: one forward pass for each.</summary>
    Exact,
}
