using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of GoogLeNet, the first Inception network.</summary>
/// <remarks>Szegedy et al., 2014, https://arxiv.org/abs/1409.4842; with batch norm, as torchvision has it.</remarks>
public sealed record GoogLeNetConfig
{
    /// <summary>Number of classes; 0 for no head, so that the network returns its pooled features.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>
    /// Whether the network has two auxiliary heads at intermediate layers, used only in training.
    /// </summary>
    public bool AuxiliaryHeads { get; init; } = true;

    /// <summary>
    /// Whether inputs have the normalization of the other ImageNet networks and are converted to -1 … 1.
    /// </summary>
    public bool TransformInput { get; init; }

    /// <summary>Channels of an image: 3 for color, 1 for grey.</summary>
    public int InputChannels { get; init; } = 3;

    /// <summary>Type of the stem, the layers before the first stage.</summary>
    public Stem Stem { get; init; }

    /// <summary>The number of channels of every layer is divided by this: 1, 2, 4 or 8.</summary>
    public int WidthDivisor { get; init; } = 1;

    /// <summary>Dropout before the last layer.</summary>
    public double Dropout { get; init; } = 0.2;

    /// <summary>Dropout inside the auxiliary heads.</summary>
    public double AuxiliaryDropout { get; init; } = 0.7;

    /// <summary>
    /// Channels of layers that differ from the usual ones, by name, such as after structured pruning; null for none. The names
    /// are those of convolutions, such as <c>inception3a.branch2.0</c>, and <c>aux1.fc1</c>.
    /// </summary>
    public IReadOnlyDictionary<string, int>? Channels { get; init; }

    /// <summary>GoogLeNet with both auxiliary heads: 13,004,888 parameters.</summary>
    public static GoogLeNetConfig GoogLeNet => new();

    /// <summary>GoogLeNet for inference, without auxiliary heads: 6,624,904 parameters.</summary>
    public static GoogLeNetConfig GoogLeNetWithoutHeads => new() { AuxiliaryHeads = false };

    /// <summary>For grey images of 28 × 28 and ten classes; trains in minutes on a CPU.</summary>
    public static GoogLeNetConfig Nano =>
        new() { Classes = 10, InputChannels = 1, Stem = Stem.Small, WidthDivisor = 4, AuxiliaryHeads = false };

    internal GoogLeNetConfig Validated()
    {
        Require.AtLeast(0, Classes);
        Require.Sizes((InputChannels, nameof(InputChannels)));
        InceptionV3Config.CheckShared(TransformInput, InputChannels, WidthDivisor, largestDivisor: 8, Dropout);
        return AuxiliaryDropout is >= 0 and < 1 ? this
            : throw new ArgumentException($"AuxiliaryDropout is {AuxiliaryDropout}; it must be at least 0 and less than 1.");
    }
}
