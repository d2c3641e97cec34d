using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of a decoder-only transformer.</summary>
/// <remarks>Radford et al., 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2).</remarks>
public sealed record GptConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model accepts, in tokens.</summary>
    public int ContextLength { get; init; } = 1024;

    /// <summary>
    /// Width of the residual stream, d_model; a multiple of <see cref="Heads"/> unless <see cref="HeadWidth"/> is set.
    /// </summary>
    public int ModelWidth { get; init; } = 768;

    /// <summary>Attention heads of a layer.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Dropout of embeddings, attention patterns and both branches of a layer.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Positional encoding; GPT-2 learns it.</summary>
    public Positions Positions { get; init; } = Positions.Learned;

    /// <summary>Non-linearity of the MLP.</summary>
    public Activation Activation { get; init; } = Activation.GeluTanh;

    /// <summary>Added to the variances in the norms, so that they are never zero (epsilon).</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Channels inside an MLP; null for four times <see cref="ModelWidth"/>.</summary>
    public int? FeedForwardWidth { get; init; }

    /// <summary>Whether the output layer shares its weight with the token embeddings (weight tying).</summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>Whether the layers have no MLP: x ← x + attention(norm(x)).</summary>
    /// <remarks>Elhage et al., 2021, https://transformer-circuits.pub/2021/framework.</remarks>
    public bool AttentionOnly { get; init; }

    /// <summary>
    /// Whether the model has layer norms. Without them every layer reads the residual stream itself, and all contributions to
    /// the logits are sums.
    /// </summary>
    public bool Norms { get; init; } = true;

    /// <summary>Whether attention scores are divided by the square root of the head width.</summary>
    public bool ScaleScores { get; init; } = true;

    /// <summary>Whether attention scores are also divided by the number of the layer, counted from 1.</summary>
    public bool ScaleScoresByLayer { get; init; }

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

    /// <summary>Changes that later models and fast training runs have; by default none.</summary>
    public GptVariations Variations { get; init; } = new();

    /// <summary>GPT-2: 124,439,808 parameters.</summary>
    public static GptConfig Gpt2 => new() { VocabularySize = 50_257 };

    /// <summary>GPT-2 medium: 354,823,168 parameters.</summary>
    public static GptConfig Gpt2Medium => Gpt2 with { Layers = 24, Heads = 16, ModelWidth = 1024 };

    /// <summary>GPT-2 large: 774,030,080 parameters.</summary>
    public static GptConfig Gpt2Large => Gpt2 with { Layers = 36, Heads = 20, ModelWidth = 1280 };

    /// <summary>GPT-2 XL: 1,557,611,200 parameters.</summary>
    public static GptConfig Gpt2Xl => Gpt2 with { Layers = 48, Heads = 25, ModelWidth = 1600 };

    /// <summary>Trains in seconds on a CPU; for tests and first notebooks.</summary>
    public static GptConfig Nano =>
        new() { VocabularySize = 65, ContextLength = 32, ModelWidth = 32, Heads = 4, Layers = 2, Dropout = 0 };

    /// <summary>Character-level model; trains in minutes on a CPU (the size of nanoGPT's CPU recipe).</summary>
    public static GptConfig Character =>
        new() { VocabularySize = 65, ContextLength = 64, ModelWidth = 128, Heads = 4, Layers = 4, Dropout = 0 };

    /// <summary>Width of a head.</summary>
    internal int WidthOfHead => HeadWidth ?? ModelWidth / Heads;

    /// <summary>Attention heads of a layer, counted from 0.</summary>
    internal int HeadsOf(int layer) => LayerHeads.At(layer, Heads);

    /// <summary>Channels inside the MLP of a layer, counted from 0.</summary>
    internal int FeedForwardWidthOf(int layer) => LayerFeedForwardWidths.At(layer, FeedForwardWidth ?? 4 * ModelWidth);

    internal GptConfig Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)), (ContextLength, nameof(ContextLength)),
            (ModelWidth, nameof(ModelWidth)),
            (Heads, nameof(Heads)), (Layers, nameof(Layers)), (FeedForwardWidth ?? 1, nameof(FeedForwardWidth)));
        Variations.Check();
        if (HeadWidth is null) Require.Divisible((ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)));
        Require.Sizes((HeadWidth ?? 1, nameof(HeadWidth)));
        LayerWidths.Check(LayerHeads, Layers, nameof(LayerHeads));
        LayerWidths.Check(LayerFeedForwardWidths, Layers, nameof(LayerFeedForwardWidths));
        if (Positions == Positions.Alibi && LayerHeads is not null)
            throw new ArgumentException("ALiBi gives each head a slope by its number, so that LayerHeads must be null.");
        return this;
    }

    /// <summary>Returns the factor of a layer's attention scores; null for the usual 1 / √d_head.</summary>
    internal double? ScoreScale(int layer) => Variations.ScoreScale is { } own ? own / (ScaleScoresByLayer ? layer + 1 : 1)
        : ScaleScores && !ScaleScoresByLayer ? null
        : (ScaleScores ? 1 / Math.Sqrt((double)WidthOfHead) : 1) / (ScaleScoresByLayer ? layer + 1 : 1);
}
