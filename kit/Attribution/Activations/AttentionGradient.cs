using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>
/// Attention patterns weighed by their gradients: in each layer the positive part of pattern × gradient, averaged over the
/// heads, is added to the identity, and the layers are multiplied.
/// </summary>
/// <remarks>
/// Chefer, Gur and Wolf, 2021, https://arxiv.org/abs/2103.15679, the rule for self-attention. It does not sum to the score.
/// </remarks>
public sealed record AttentionGradient : AttributionMethod
{
    /// <summary>How the hook points of the patterns end.</summary>
    public string Pattern { get; init; } = "hook_pattern";

    /// <summary>The query token whose relevance is read: -1 the last of a GPT, 0 the class token of a BERT or ViT.</summary>
    public int Position { get; init; } = -1;

    /// <inheritdoc/>
    public override string Name => "attention × gradient";

    internal override Found Explain(Explained explained, Tensor input)
    {
        var names = explained.Places(name => name.EndsWith(Pattern, StringComparison.Ordinal));
        if (names.Count == 0) throw new ArgumentException($"The model has no hook point that ends with '{Pattern}'.");
        Tensor? relevance = null;
        foreach (var name in names)
        {
            var (_, pattern, gradient) = explained.GradientAt(name, input);
            if (pattern.dim() != 4 || pattern.shape[2] != pattern.shape[3])
                throw new ArgumentException($"'{name}' holds [{string.Join(", ", pattern.shape)}]; expected the patterns of "
                    + "self-attention, [batch, head, time, time].");
            var layer = (pattern * gradient).clamp_min(0).mean([1])
                + eye(pattern.shape[2], dtype: pattern.dtype, device: pattern.device);
            relevance = relevance is null ? layer : layer.matmul(relevance);
        }
        var time = relevance!.shape[1];
        if (Position < -time || Position >= time)
            throw new ArgumentException($"Position {Position} lies outside of {time} tokens.");
        return new Found(relevance.select(1, Position < 0 ? Position + time : Position));   // [batch, time]
    }
}
