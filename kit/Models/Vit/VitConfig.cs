using ResearchKit.Layers;
using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of a <see cref="Vit"/>.</summary>
/// <remarks>Dosovitskiy et al., 2021, https://arxiv.org/abs/2010.11929.</remarks>
public sealed record VitConfig
{
    /// <summary>Height and width of the images, in pixels; a multiple of <see cref="PatchSize"/>.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Height and width of a patch, in pixels.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>Channels of the images, such as red, green and blue.</summary>
    public int Channels { get; init; } = 3;

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

    /// <summary>Number of classes; 0 for no head, so that the model returns the features of the class token.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>Whether queries, keys and values have a bias.</summary>
    public bool QueryKeyValueBias { get; init; } = true;

    /// <summary>Non-linearity of the MLPs.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>Dropout of embeddings, attention patterns and both branches of a layer.</summary>
    public double Dropout { get; init; }

    /// <summary>Added to the variances in the norms, so that they are never zero (epsilon).</summary>
    public double NormEpsilon { get; init; } = 1e-12;

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

    /// <summary>ViT-B/16: 86,567,656 parameters.</summary>
    public static VitConfig Base => new();

    /// <summary>ViT-L/16: 304,326,632 parameters.</summary>
    public static VitConfig Large => new() { ModelWidth = 1024, FeedForwardWidth = 4096, Layers = 24, Heads = 16 };

    /// <summary>For grey images of 28 × 28; trains in seconds on a CPU; for tests and first notebooks.</summary>
    public static VitConfig Nano => new()
    {
        ImageSize = 28,
        PatchSize = 7,
        Channels = 1,
        ModelWidth = 32,
        FeedForwardWidth = 64,
        Layers = 2,
        Heads = 4,
        Classes = 10,
    };

    /// <summary>Number of patches of an image.</summary>
    internal int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Width of a head.</summary>
    internal int WidthOfHead => HeadWidth ?? ModelWidth / Heads;

    /// <summary>Attention heads of a layer, counted from 0.</summary>
    internal int HeadsOf(int layer) => LayerHeads.At(layer, Heads);

    /// <summary>Channels inside the MLP of a layer, counted from 0.</summary>
    internal int FeedForwardWidthOf(int layer) => LayerFeedForwardWidths.At(layer, FeedForwardWidth);

    internal VitConfig Validated()
    {
        Require.Sizes((ImageSize, nameof(ImageSize)), (PatchSize, nameof(PatchSize)), (Channels, nameof(Channels)),
            (ModelWidth, nameof(ModelWidth)),
            (FeedForwardWidth, nameof(FeedForwardWidth)), (Layers, nameof(Layers)), (Heads, nameof(Heads)));
        Require.AtLeast(0, Classes);
        if (HeadWidth is null) Require.Divisible((ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)));
        Require.Sizes((HeadWidth ?? 1, nameof(HeadWidth)));
        LayerWidths.Check(LayerHeads, Layers, nameof(LayerHeads));
        LayerWidths.Check(LayerFeedForwardWidths, Layers, nameof(LayerFeedForwardWidths));
        Require.Divisible((ImageSize, nameof(ImageSize)), (PatchSize, nameof(PatchSize)));
        return this;
    }
}
