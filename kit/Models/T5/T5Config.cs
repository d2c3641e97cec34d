using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of an encoder-decoder transformer.</summary>
/// <remarks>
/// Raffel et al., 2020, https://arxiv.org/abs/1910.10683; the gated variant (v1.1): Shazeer, 2020,
/// https://arxiv.org/abs/2002.05202.
/// </remarks>
public sealed record T5Config
{
    /// <summary>Number of different tokens.</summary>
    public int VocabularySize { get; init; } = 32_128;

    /// <summary>Width of the residual stream, d_model.</summary>
    public int ModelWidth { get; init; } = 512;

    /// <summary>
    /// Width of a head, d_kv; the number of heads times this may differ from <see cref="ModelWidth"/>.
    /// </summary>
    public int HeadWidth { get; init; } = 64;

    /// <summary>Channels inside an MLP.</summary>
    public int FeedForwardWidth { get; init; } = 2048;

    /// <summary>Number of layers of the encoder.</summary>
    public int Layers { get; init; } = 6;

    /// <summary>Number of layers of the decoder; null for the number of the encoder.</summary>
    public int? DecoderLayers { get; init; }

    /// <summary>Attention heads of a layer.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Number of buckets of relative distances; see <see cref="RelativePositions.Buckets"/>.</summary>
    public int RelativeBuckets { get; init; } = 32;

    /// <summary>Distance in tokens from which on all distances share one bucket.</summary>
    public int RelativeMaximumDistance { get; init; } = 128;

    /// <summary>Non-linearity of the MLPs.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>
    /// Whether the MLPs are gated: a second linear layer is multiplied with the activation, as in v1.1.
    /// </summary>
    public bool Gated { get; init; }

    /// <summary>Dropout of embeddings, attention patterns, inside MLPs, and of all branches.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Added to the mean square in the norms, so that it is never zero (epsilon).</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>
    /// Whether the output layer shares its weight with the token embeddings; its input is then divided by the
    /// square root of the width.
    /// </summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>The token with which the decoder starts.</summary>
    public int StartToken { get; init; }

    /// <summary>The padding token.</summary>
    public int PaddingToken { get; init; }

    /// <summary>Attention heads of a layer of the decoder; null for <see cref="Heads"/>.</summary>
    public int? DecoderHeads { get; init; }

    /// <summary>
    /// Heads of the attention to the source text in each layer of the decoder, where layers differ, such as after structured
    /// pruning; null for <see cref="Heads"/> in all.
    /// </summary>
    public IReadOnlyList<int>? CrossAttentionHeads { get; init; }

    /// <summary>
    /// Channels inside the MLP of each layer of the encoder, where layers differ; null for <see cref="FeedForwardWidth"/> in all.
    /// </summary>
    public IReadOnlyList<int>? LayerFeedForwardWidths { get; init; }

    /// <summary>
    /// Channels inside the MLP of each layer of the decoder, where layers differ; null for <see cref="FeedForwardWidth"/> in all.
    /// </summary>
    public IReadOnlyList<int>? DecoderLayerFeedForwardWidths { get; init; }

    /// <summary>T5 small: 60,506,624 parameters.</summary>
    public static T5Config Small => new();

    /// <summary>T5 base: 222,903,552 parameters.</summary>
    public static T5Config Base => new() { ModelWidth = 768, FeedForwardWidth = 3072, Layers = 12, Heads = 12 };

    /// <summary>T5 v1.1 small, also Flan-T5 small: 76,961,152 parameters.</summary>
    public static T5Config SmallV11 =>
        new()
        {
            FeedForwardWidth = 1024,
            Layers = 8,
            Heads = 6,
            Activation = Activation.GeluTanh,
            Gated = true,
            TieEmbeddings = false
        };

    /// <summary>T5 v1.1 base, also Flan-T5 base: 247,577,856 parameters.</summary>
    public static T5Config BaseV11 => SmallV11 with { ModelWidth = 768, FeedForwardWidth = 2048, Layers = 12, Heads = 12 };

    /// <summary>Trains in seconds on a CPU; for tests and first notebooks.</summary>
    public static T5Config Nano => new()
    {
        VocabularySize = 65,
        ModelWidth = 32,
        HeadWidth = 8,
        FeedForwardWidth = 64,
        Layers = 2,
        Heads = 4,
        Dropout = 0,
        RelativeBuckets = 16,
        RelativeMaximumDistance = 32,
    };

    /// <summary>Layers of the decoder.</summary>
    internal int LayersOfDecoder => DecoderLayers ?? Layers;

    /// <summary>Heads of self-attention in the encoder or in the decoder.</summary>
    internal int SelfAttentionHeads(bool isDecoder) => isDecoder ? DecoderHeads ?? Heads : Heads;

    /// <summary>Channels inside the MLP of a layer, counted from 0.</summary>
    internal int FeedForwardWidthOf(bool isDecoder, int layer) =>
        (isDecoder ? DecoderLayerFeedForwardWidths : LayerFeedForwardWidths).At(layer, FeedForwardWidth);

    internal T5Config Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)), (ModelWidth, nameof(ModelWidth)), (HeadWidth, nameof(HeadWidth)),
            (FeedForwardWidth, nameof(FeedForwardWidth)), (Layers, nameof(Layers)),
                (DecoderLayers ?? 1, nameof(DecoderLayers)), (Heads, nameof(Heads)),
            (DecoderHeads ?? 1, nameof(DecoderHeads)));
        LayerWidths.Check(CrossAttentionHeads, LayersOfDecoder, nameof(CrossAttentionHeads));
        LayerWidths.Check(LayerFeedForwardWidths, Layers, nameof(LayerFeedForwardWidths));
        LayerWidths.Check(DecoderLayerFeedForwardWidths, LayersOfDecoder, nameof(DecoderLayerFeedForwardWidths));
        foreach (var (token, name) in new[] { (StartToken, nameof(StartToken)), (PaddingToken, nameof(PaddingToken)) })
            if (token < 0 || token >= VocabularySize)
                throw new ArgumentException($"{name} {token} is outside the vocabulary of {VocabularySize}.");
        return this;
    }
}
