namespace ResearchKit.Interpretability;

/// <summary>Attention pattern of one head: how much each query token attends to each key token.</summary>
/// <param name="Name">Name of the hook point, such as <c>h.0.attn.hook_pattern</c>.</param>
/// <param name="Layer">Number of the layer, from 0.</param>
/// <param name="Head">Number of the head, from 0.</param>
/// <param name="QueryTokens">Text of the query tokens, one per row.</param>
/// <param name="KeyTokens">Text of the key tokens, one per column.</param>
/// <param name="Weights">[query, key]; every row sums to one.</param>
public sealed record AttentionPattern(
    string Name, int Layer, int Head, IReadOnlyList<string> QueryTokens, IReadOnlyList<string> KeyTokens, float[,] Weights)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"attention of layer {Layer}, head {Head}: {QueryTokens.Count} queries × {KeyTokens.Count} keys";
}

/// <summary>The attention patterns of a model on one text: every layer, every head.</summary>
/// <param name="Patterns">The patterns, ordered by layer, then head.</param>
public sealed record AttentionMaps(IReadOnlyList<AttentionPattern> Patterns)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"attention of {Patterns.Select(pattern => pattern.Layer).Distinct().Count()} layers, {Patterns.Count} heads";
}
