using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Block type of a residual network.</summary>
public enum ResidualBlock
{
    /// <summary>Two 3 × 3 convolutions.</summary>
    Basic,

    /// <summary>
    /// Bottleneck: 1 × 1 to fewer channels, 3 × 3 with the stride, 1 × 1 to four times as many channels.
    /// </summary>
    Bottleneck,
}

/// <summary>Type of the stem, the layers before the first stage.</summary>
public enum Stem
{
    /// <summary>
    /// A 7 × 7 convolution with stride 2 and pooling with stride 2, for images of about 224 × 224: the first stage
    /// works at a quarter of the resolution.
    /// </summary>
    Standard,

    /// <summary>A 3 × 3 convolution with stride 1 and no pooling, for images of about 32 × 32.</summary>
    Small,
}

/// <summary>Configuration of a residual network: ResNet, ResNeXt or Wide ResNet.</summary>
/// <remarks>
/// He et al., 2015, https://arxiv.org/abs/1512.03385; ResNeXt: Xie et al., 2016, https://arxiv.org/abs/1611.05431; Wide ResNet:
/// Zagoruyko and Komodakis, 2016, https://arxiv.org/abs/1605.07146.
/// </remarks>
public sealed record ResNetConfig
{
    /// <summary>Block type of the stages.</summary>
    public ResidualBlock Block { get; init; }

    /// <summary>Number of blocks in each of the four stages.</summary>
    public IReadOnlyList<int> Blocks { get; init; } = [2, 2, 2, 2];

    /// <summary>Number of classes; 0 for no head, so that the network returns its pooled features.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>Channels of an image: 3 for color, 1 for grey.</summary>
    public int InputChannels { get; init; } = 3;

    /// <summary>Type of the stem, the layers before the first stage.</summary>
    public Stem Stem { get; init; }

    /// <summary>Channels of the stem and the first stage; each later stage has twice as many.</summary>
    public int Width { get; init; } = 64;

    /// <summary>Groups of the 3 × 3 convolution of a bottleneck (ResNeXt's cardinality).</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Channels of each group in the first stage, for a <see cref="Width"/> of 64.</summary>
    public int WidthPerGroup { get; init; } = 64;

    /// <summary>
    /// For each of the stages 2 to 4: whether to use dilation instead of stride 2, which keeps the size of the
    /// feature map.
    /// </summary>
    public IReadOnlyList<bool> DilateInsteadOfStride { get; init; } = [false, false, false];

    /// <summary>
    /// Whether blocks start as identities, with the last norm of each branch initialized to zero. Goyal et al.,
    /// 2017, https://arxiv.org/abs/1706.02677.
    /// </summary>
    public bool ZeroInitialBranches { get; init; }

    /// <summary>
    /// Channels of layers that differ from the usual ones, by name, such as after structured pruning; null for none. The names
    /// are those of convolutions inside a block, such as <c>layer1.0.conv1</c>, <c>conv1</c> for the stem, and <c>layer2</c> for
    /// the channels between the blocks of a stage.
    /// </summary>
    public IReadOnlyDictionary<string, int>? Channels { get; init; }

    /// <summary>ResNet-18: 11,689,512 parameters.</summary>
    public static ResNetConfig ResNet18 => new();

    /// <summary>ResNet-34: 21,797,672 parameters.</summary>
    public static ResNetConfig ResNet34 => new() { Blocks = [3, 4, 6, 3] };

    /// <summary>ResNet-50: 25,557,032 parameters.</summary>
    public static ResNetConfig ResNet50 => new() { Block = ResidualBlock.Bottleneck, Blocks = [3, 4, 6, 3] };

    /// <summary>ResNet-101: 44,549,160 parameters.</summary>
    public static ResNetConfig ResNet101 => ResNet50 with { Blocks = [3, 4, 23, 3] };

    /// <summary>ResNet-152: 60,192,808 parameters.</summary>
    public static ResNetConfig ResNet152 => ResNet50 with { Blocks = [3, 8, 36, 3] };

    /// <summary>ResNeXt-50, 32 groups of 4 channels: 25,028,904 parameters.</summary>
    public static ResNetConfig ResNeXt50 => ResNet50 with { Groups = 32, WidthPerGroup = 4 };

    /// <summary>ResNeXt-101, 32 groups of 8 channels: 88,791,336 parameters.</summary>
    public static ResNetConfig ResNeXt101 => ResNet101 with { Groups = 32, WidthPerGroup = 8 };

    /// <summary>Wide ResNet-50-2: 68,883,240 parameters.</summary>
    public static ResNetConfig WideResNet50 => ResNet50 with { WidthPerGroup = 128 };

    /// <summary>Wide ResNet-101-2: 126,886,696 parameters.</summary>
    public static ResNetConfig WideResNet101 => ResNet101 with { WidthPerGroup = 128 };

    /// <summary>For grey images of 28 × 28 and ten classes; trains in a minute on a CPU.</summary>
    public static ResNetConfig Nano =>
        new() { Blocks = [1, 1, 1, 1], Classes = 10, InputChannels = 1, Stem = Stem.Small, Width = 16 };

    internal ResNetConfig Validated()
    {
        Require.AtLeast(0, Classes);
        Require.Sizes((InputChannels, nameof(InputChannels)));
        Require.Sizes((Width, nameof(Width)));
        Require.Sizes((Groups, nameof(Groups)));
        Require.Sizes((WidthPerGroup, nameof(WidthPerGroup)));
        if (Blocks.Count != 4 || Blocks.Any(count => count < 1))
            throw new ArgumentException($"Blocks is [{string.Join(", ", Blocks)}]; expected four numbers of at least 1.");
        if (DilateInsteadOfStride.Count != 3)
            throw new ArgumentException(
                $"DilateInsteadOfStride has {DilateInsteadOfStride.Count} values; expected three, for stages 2 to 4.");
        if (Block == ResidualBlock.Basic && (Groups != 1 || WidthPerGroup != 64 || DilateInsteadOfStride.Any(dilate => dilate)))
            throw new ArgumentException($"Groups {Groups}, WidthPerGroup {WidthPerGroup} and dilation are for bottleneck blocks; "
                + "this network has basic ones.");
        return Block == ResidualBlock.Basic || InnerWidth(Width) >= Groups ? this
            : throw new ArgumentException(
                $"A Width of {Width} with a WidthPerGroup of {WidthPerGroup} leaves no channel for a group.");
    }

    /// <summary>
    /// Whether the first block of a stage, counted from 0, projects its input: if it has another number of channels or another
    /// resolution than the output.
    /// </summary>
    internal bool Projects(int stage) => stage > 0 || Block == ResidualBlock.Bottleneck;

    /// <summary>Usual channels between the blocks of a stage.</summary>
    /// <param name="width">Width of the stage.</param>
    internal int OutputWidth(int width) => Block == ResidualBlock.Basic ? width : width * Bottleneck.Expansion;

    /// <summary>Channels of the 3 × 3 convolution of a bottleneck.</summary>
    internal int InnerWidth(int width) => (int)(width * (WidthPerGroup / 64.0)) * Groups;
}
