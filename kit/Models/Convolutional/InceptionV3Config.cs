using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of Inception v3.</summary>
/// <remarks>Szegedy et al., 2015, https://arxiv.org/abs/1512.00567.</remarks>
public sealed record InceptionV3Config
{
    /// <summary>Number of classes; 0 for no head, so that the network returns its pooled features.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>
    /// Whether the network has an auxiliary head, used only in training; it needs images of about 299 × 299.
    /// </summary>
    public bool AuxiliaryHead { get; init; } = true;

    /// <summary>
    /// Whether inputs have the normalization of the other ImageNet networks and are converted to -1 … 1.
    /// </summary>
    public bool TransformInput { get; init; }

    /// <summary>Channels of an image: 3 for color, 1 for grey.</summary>
    public int InputChannels { get; init; } = 3;

    /// <summary>The number of channels of every layer is divided by this: 1, 2, 4, 8 or 16.</summary>
    public int WidthDivisor { get; init; } = 1;

    /// <summary>Dropout before the last layer.</summary>
    public double Dropout { get; init; } = 0.5;

    /// <summary>
    /// Channels of layers that differ from the usual ones, by name, such as after structured pruning; null for none. The names
    /// are those of convolutions, such as <c>Mixed_5b.branch5x5_1</c>.
    /// </summary>
    public IReadOnlyDictionary<string, int>? Channels { get; init; }

    /// <summary>Inception v3 with its auxiliary head: 27,161,264 parameters.</summary>
    public static InceptionV3Config InceptionV3 => new();

    /// <summary>Inception v3 for inference, without the auxiliary head: 23,834,568 parameters.</summary>
    public static InceptionV3Config InceptionV3WithoutHead => new() { AuxiliaryHead = false };

    /// <summary>
    /// An eighth of the channels and ten classes; for tests and experiments on a CPU, with images of at least 75 ×
    /// 75.
    /// </summary>
    public static InceptionV3Config Nano => new() { Classes = 10, WidthDivisor = 8, AuxiliaryHead = false };

    internal InceptionV3Config Validated()
    {
        Require.AtLeast(0, Classes);
        Require.Sizes((InputChannels, nameof(InputChannels)));
        CheckShared(TransformInput, InputChannels, WidthDivisor, largestDivisor: 16, Dropout);
        return this;
    }

    internal static void CheckShared(bool transformInput, int inputChannels, int widthDivisor, int largestDivisor, double dropout)
    {
        if (transformInput && inputChannels != 3)
            throw new ArgumentException("TransformInput needs the three color channels of ImageNet; "
                + $"InputChannels is {inputChannels}.");
        if (widthDivisor < 1 || largestDivisor % widthDivisor != 0)
            throw new ArgumentException($"WidthDivisor is {widthDivisor}; it must divide {largestDivisor}.");
        if (dropout is not (>= 0 and < 1))
            throw new ArgumentException($"Dropout is {dropout}; it must be at least 0 and less than 1.");
    }
}
