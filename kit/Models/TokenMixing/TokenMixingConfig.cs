using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>How the tokens of a <see cref="TokenMixingModel"/> learn of one another.</summary>
public enum TokenMixing
{
    /// <summary>Attention with as many key heads as heads.</summary>
    MultiHead,

    /// <summary>Attention with half as many key heads; <see cref="GroupedQueryAttention"/>.</summary>
    GroupedQuery,

    /// <summary>Attention with one key head.</summary>
    MultiQuery,

    /// <summary>Attention over a quarter of the context length.</summary>
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

/// <summary>Shape of a <see cref="TokenMixingModel"/>.</summary>
public sealed record TokenMixingConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model accepts, in tokens.</summary>
    public int ContextLength { get; init; } = 64;

    /// <summary>Width of the residual stream, d_model.</summary>
    public int ModelWidth { get; init; } = 128;

    /// <summary>Heads of a layer's attention; four times as many divide <see cref="ModelWidth"/>.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>How tokens learn of one another.</summary>
    public TokenMixing Mixing { get; init; } = TokenMixing.MultiHead;

    /// <summary>Channels inside an MLP, or inside an expert.</summary>
    public int FeedForwardWidth { get; init; } = 344;

    /// <summary>Experts of a layer; 1 for a plain MLP.</summary>
    public int Experts { get; init; } = 1;

    /// <summary>Experts that a token goes through.</summary>
    public int ActiveExperts { get; init; } = 1;

    /// <summary>Trains in seconds on a CPU; for tests.</summary>
    public static TokenMixingConfig Nano =>
        new() { VocabularySize = 65, ContextLength = 32, ModelWidth = 32, Heads = 4, Layers = 2, FeedForwardWidth = 64 };

    /// <summary>Reads and writes characters; trains in minutes on a CPU.</summary>
    public static TokenMixingConfig Character => new() { VocabularySize = 65 };

    /// <summary>The configuration whose MLPs are as wide as it takes to come closest to so many parameters.</summary>
    /// <exception cref="ArgumentException">Even the narrowest MLPs make it larger.</exception>
    public TokenMixingConfig WithParameters(long parameters)
    {
        var one = Count(1);
        var two = Count(2);
        // the count grows by the same with each channel
        var width = 1 + (int)Math.Round((double)(parameters - one) / (two - one));
        return width >= 1 ? this with { FeedForwardWidth = width }
            : throw new ArgumentException(
                $"Cannot have {parameters:N0} parameters: with MLPs of 1 channel it has {one:N0}.", nameof(parameters));
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
