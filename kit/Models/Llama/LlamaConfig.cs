using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of a Llama-style decoder.</summary>
/// <remarks>Touvron et al., 2023, https://arxiv.org/abs/2302.13971 and https://arxiv.org/abs/2307.09288.</remarks>
public sealed record LlamaConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Longest sequence the model accepts, in tokens.</summary>
    public int ContextLength { get; init; } = 2048;

    /// <summary>
    /// Width of the residual stream, d_model; a multiple of <see cref="Heads"/> unless <see cref="HeadWidth"/> is set.
    /// </summary>
    public int ModelWidth { get; init; } = 4096;

    /// <summary>Channels inside an MLP.</summary>
    public int FeedForwardWidth { get; init; } = 11_008;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 32;

    /// <summary>Number of query heads of a layer.</summary>
    public int Heads { get; init; } = 32;

    /// <summary>
    /// Number of key and value heads of a layer, each shared by a group of query heads; null for the number of
    /// query heads.
    /// </summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>
    /// Base of the rotary positions (rope_theta): the slowest pair of channels rotates once in about 2π times this
    /// many positions.
    /// </summary>
    public double RotaryBase { get; init; } = 10_000;

    /// <summary>Scaling of the rotary positions to <see cref="ContextLength"/>; null for none.</summary>
    public RotaryScaling? RotaryScaling { get; init; }

    /// <summary>Non-linearity of the gate of the MLP.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Added to the mean square in the norms, so that it is never zero (epsilon).</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Whether the output layer shares its weight with the token embeddings (weight tying).</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>The padding token, whose embedding is not trained; null for none.</summary>
    public int? PaddingToken { get; init; }

    /// <summary>
    /// Width of a head, d_head; null for <see cref="ModelWidth"/> divided by <see cref="Heads"/>.
    /// </summary>
    public int? HeadWidth { get; init; }

    /// <summary>
    /// Query heads of each layer, where layers differ, such as after structured pruning; null for <see cref="Heads"/> in all. A
    /// key head serves as many query heads in every layer.
    /// </summary>
    public IReadOnlyList<int>? LayerHeads { get; init; }

    /// <summary>
    /// Channels inside the MLP of each layer, where layers differ; null for <see cref="FeedForwardWidth"/> in all.
    /// </summary>
    public IReadOnlyList<int>? LayerFeedForwardWidths { get; init; }

    /// <summary>Llama 2 7B: 6,738,415,616 parameters.</summary>
    public static LlamaConfig Llama2Of7B => new() { VocabularySize = 32_000, ContextLength = 4096, NormEpsilon = 1e-5 };

    /// <summary>Llama 2 70B: 68,976,648,192 parameters.</summary>
    public static LlamaConfig Llama2Of70B =>
        Llama2Of7B with { ModelWidth = 8192, FeedForwardWidth = 28_672, Layers = 80, Heads = 64, KeyValueHeads = 8 };

    /// <summary>Llama 3 8B: 8,030,261,248 parameters.</summary>
    public static LlamaConfig Llama3Of8B => new()
    {
        VocabularySize = 128_256,
        ContextLength = 8192,
        FeedForwardWidth = 14_336,
        KeyValueHeads = 8,
        RotaryBase = 500_000,
        NormEpsilon = 1e-5,
    };

    /// <summary>Llama 3.1 8B: the parameter count of Llama 3 8B, and sixteen times the context.</summary>
    public static LlamaConfig Llama31Of8B =>
        Llama3Of8B with { ContextLength = 131_072, RotaryScaling = new RotaryScaling.Llama3(8, 1, 4, 8192) };

    /// <summary>Llama 3.2 1B: 1,235,814,400 parameters.</summary>
    public static LlamaConfig Llama32Of1B => Llama31Of8B with
    {
        ModelWidth = 2048,
        FeedForwardWidth = 8192,
        Layers = 16,
        TieEmbeddings = true,
        RotaryScaling = new RotaryScaling.Llama3(32, 1, 4, 8192),
    };

    /// <summary>TinyLlama: 1,100,048,384 parameters. Zhang et al., 2024, https://arxiv.org/abs/2401.02385.</summary>
    public static LlamaConfig TinyLlama => new()
    {
        VocabularySize = 32_000,
        ModelWidth = 2048,
        FeedForwardWidth = 5632,
        Layers = 22,
        KeyValueHeads = 4,
        NormEpsilon = 1e-5,
    };

    /// <summary>Trains in seconds on a CPU; for tests and first notebooks.</summary>
    public static LlamaConfig Nano => new()
    {
        VocabularySize = 65,
        ContextLength = 32,
        ModelWidth = 32,
        FeedForwardWidth = 88,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
    };

    /// <summary>Width of a head.</summary>
    internal int WidthOfHead => HeadWidth ?? ModelWidth / Heads;

    /// <summary>Attention heads of a layer, counted from 0.</summary>
    internal int HeadsOf(int layer) => LayerHeads.At(layer, Heads);

    /// <summary>Channels inside the MLP of a layer, counted from 0.</summary>
    internal int FeedForwardWidthOf(int layer) => LayerFeedForwardWidths.At(layer, FeedForwardWidth);

    /// <summary>Key and value heads of a layer, counted from 0.</summary>
    internal int KeyValueHeadsOf(int layer) => HeadsOf(layer) / QueriesPerKey;

    /// <summary>Query heads that share a key head.</summary>
    internal int QueriesPerKey => Heads / (KeyValueHeads ?? Heads);

    internal LlamaConfig Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)), (ContextLength, nameof(ContextLength)),
            (ModelWidth, nameof(ModelWidth)),
            (FeedForwardWidth, nameof(FeedForwardWidth)), (Layers, nameof(Layers)), (Heads, nameof(Heads)),
                (KeyValueHeads ?? 1, nameof(KeyValueHeads)));
        if (HeadWidth is null) Require.Divisible((ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)));
        Require.Sizes((HeadWidth ?? 1, nameof(HeadWidth)));
        LayerWidths.Check(LayerHeads, Layers, nameof(LayerHeads));
        LayerWidths.Check(LayerFeedForwardWidths, Layers, nameof(LayerFeedForwardWidths));
        Require.Divisible((Heads, nameof(Heads)), (KeyValueHeads ?? Heads, nameof(KeyValueHeads)));
        if (LayerHeads?.Any(heads => heads % QueriesPerKey != 0) == true)
            throw new ArgumentException($"LayerHeads is [{LayerHeads.Text()}]; expected multiples of {QueriesPerKey}, the "
                + "query heads "
                + "that share a key head.");
        return this;
    }
}
