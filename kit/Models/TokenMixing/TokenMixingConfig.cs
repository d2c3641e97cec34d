using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>
/// Token mixing of a <see cref="TokenMixingModel"/>: the layer that exchanges information between tokens.
/// </summary>
public enum TokenMixing
{
    /// <summary>Multi-head attention, with as many key heads as query heads.</summary>
    MultiHead,

    /// <summary>
    /// Attention with half as many key heads as query heads; <see cref="GroupedQueryAttention"/>.
    /// </summary>
    GroupedQuery,

    /// <summary>Multi-query attention, with one key head.</summary>
    MultiQuery,

    /// <summary>Attention over a sliding window of a quarter of the context length.</summary>
    SlidingWindow,

    /// <summary><see cref="DifferentialAttention"/>.</summary>
    Differential,

    /// <summary><see cref="LatentAttention"/> of half the width.</summary>
    Latent,

    /// <summary><see cref="LinearAttention"/>.</summary>
    Linear,

    /// <summary><see cref="SelectiveStateSpace"/>.</summary>
    StateSpace,
}

/// <summary>Configuration of a <see cref="TokenMixingModel"/>.</summary>
public sealed record TokenMixingConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model accepts, in tokens.</summary>
    public int ContextLength { get; init; } = 64;

    /// <summary>Width of the residual stream, d_model.</summary>
    public int ModelWidth { get; init; } = 128;

    /// <summary>
    /// Attention heads of a layer; <see cref="ModelWidth"/> must be a multiple of four times this number.
    /// </summary>
    public int Heads { get; init; } = 4;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Token-mixing layer of the model.</summary>
    public TokenMixing Mixing { get; init; } = TokenMixing.MultiHead;

    /// <summary>Channels inside an MLP, or inside an expert.</summary>
    public int FeedForwardWidth { get; init; } = 344;

    /// <summary>Number of experts of a layer (mixture of experts); 1 for a plain MLP.</summary>
    public int Experts { get; init; } = 1;

    /// <summary>Number of experts that process each token.</summary>
    public int ActiveExperts { get; init; } = 1;

    /// <summary>Trains in seconds on a CPU; for tests.</summary>
    public static TokenMixingConfig Nano =>
        new() { VocabularySize = 65, ContextLength = 32, ModelWidth = 32, Heads = 4, Layers = 2, FeedForwardWidth = 64 };

    /// <summary>Character-level model; trains in minutes on a CPU.</summary>
    public static TokenMixingConfig Character => new() { VocabularySize = 65 };

    /// <summary>
    /// Returns the configuration with the MLP width whose parameter count is closest to
    /// <paramref name="parameters"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Even MLPs of one channel give more parameters.</exception>
    public TokenMixingConfig WithParameters(long parameters)
    {
        var one = Count(1);
        var two = Count(2);
        // the count is linear in the width
        var width = 1 + (int)Math.Round((double)(parameters - one) / (two - one));
        return width >= 1 ? this with { FeedForwardWidth = width }
            : throw new ArgumentException($"Cannot have {parameters:N0} parameters: "
                + $"even MLPs of 1 channel give {one:N0}.", nameof(parameters));
    }

    internal TokenMixingConfig Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)), (ContextLength, nameof(ContextLength)),
            (ModelWidth, nameof(ModelWidth)),
            (Heads, nameof(Heads)), (Layers, nameof(Layers)), (FeedForwardWidth, nameof(FeedForwardWidth)),
                (Experts, nameof(Experts)));
        Require.Divisible((ModelWidth, nameof(ModelWidth)), (4 * Heads, $"4 · {nameof(Heads)}"));
        return this;
    }

    private long Count(int feedForwardWidth)
    {
        using var model = new TokenMixingModel(this with { FeedForwardWidth = feedForwardWidth });
        return model.parameters().Sum(parameter => parameter.numel());
    }
}
