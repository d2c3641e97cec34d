using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of BERT, a bidirectional transformer encoder.</summary>
/// <remarks>Devlin et al., 2019, https://arxiv.org/abs/1810.04805.</remarks>
public sealed record BertConfig
{
    /// <summary>Number of different tokens.</summary>
    public int VocabularySize { get; init; } = 30_522;

    /// <summary>Longest sequence the model accepts, in tokens.</summary>
    public int ContextLength { get; init; } = 512;

    /// <summary>Number of different token types: the first text and the second.</summary>
    public int TokenTypes { get; init; } = 2;

    /// <summary>
    /// Width of the residual stream, d_model; a multiple of <see cref="Heads"/> unless <see cref="HeadWidth"/> is set.
    /// </summary>
    public int ModelWidth { get; init; } = 768;

    /// <summary>Channels inside an MLP.</summary>
    public int FeedForwardWidth { get; init; } = 3072;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Attention heads of a layer.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Non-linearity of the MLPs and of the masked-language head.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>
    /// Dropout of embeddings, attention patterns, both branches of a layer, and the classifier's input.
    /// </summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Added to the variances in the norms, so that they are never zero (epsilon).</summary>
    public double NormEpsilon { get; init; } = 1e-12;

    /// <summary>The padding token, whose embedding is not trained; null for none.</summary>
    public int? PaddingToken { get; init; } = 0;

    /// <summary>
    /// Whether the output layer of the masked-language head shares its weight with the token embeddings (weight
    /// tying).
    /// </summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>Number of labels of a classification head; 1 for regression.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>
    /// Width of a head, d_head; null for <see cref="ModelWidth"/> divided by <see cref="Heads"/>.
    /// </summary>
    public int? HeadWidth { get; init; }

    /// <summary>
    /// Attention heads of each layer, where layers differ, such as after structured pruning; null for <see cref="Heads"/> in all.
    /// </summary>
    public IReadOnlyList<int>? LayerHeads { get; init; }

    /// <summary>
    /// Channels inside the MLP of each layer, where layers differ; null for <see cref="FeedForwardWidth"/> in all.
    /// </summary>
    public IReadOnlyList<int>? LayerFeedForwardWidths { get; init; }

    /// <summary>BERT-base, lower-case: 109,482,240 parameters with the pooler, without heads.</summary>
    public static BertConfig BaseUncased => new();

    /// <summary>BERT-large, lower-case: 335,141,888 parameters.</summary>
    public static BertConfig LargeUncased => new() { ModelWidth = 1024, FeedForwardWidth = 4096, Layers = 24, Heads = 16 };

    /// <summary>Trains in seconds on a CPU; for tests and first notebooks.</summary>
    public static BertConfig Nano => new()
    {
        VocabularySize = 65,
        ContextLength = 32,
        ModelWidth = 32,
        FeedForwardWidth = 128,
        Layers = 2,
        Heads = 4,
        Dropout = 0,
    };

    /// <summary>Width of a head.</summary>
    internal int WidthOfHead => HeadWidth ?? ModelWidth / Heads;

    /// <summary>Attention heads of a layer, counted from 0.</summary>
    internal int HeadsOf(int layer) => LayerHeads.At(layer, Heads);

    /// <summary>Channels inside the MLP of a layer, counted from 0.</summary>
    internal int FeedForwardWidthOf(int layer) => LayerFeedForwardWidths.At(layer, FeedForwardWidth);

    internal BertConfig Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)), (ContextLength, nameof(ContextLength)),
            (TokenTypes, nameof(TokenTypes)),
            (ModelWidth, nameof(ModelWidth)), (FeedForwardWidth, nameof(FeedForwardWidth)),
            (Layers, nameof(Layers)), (Heads, nameof(Heads)),
            (Labels, nameof(Labels)));
        if (HeadWidth is null) Require.Divisible((ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)));
        Require.Sizes((HeadWidth ?? 1, nameof(HeadWidth)));
        LayerWidths.Check(LayerHeads, Layers, nameof(LayerHeads));
        LayerWidths.Check(LayerFeedForwardWidths, Layers, nameof(LayerFeedForwardWidths));
        return this;
    }
}
