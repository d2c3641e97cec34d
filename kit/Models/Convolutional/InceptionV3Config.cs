using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Shape of Inception v3.</summary>
/// <remarks>Szegedy et al., 2015, https://arxiv.org/abs/1512.00567.</remarks>
public sealed record InceptionV3Config
{
    /// <summary>Number of classes.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>A head half way that is only used in training; it needs pictures of 299 × 299 or so.</summary>
    public bool AuxiliaryHead { get; init; } = true;

    /// <summary>Pictures come normalised as for the other ImageNet networks, and are brought from there to -1 … 1.</summary>
    public bool TransformInput { get; init; }

    /// <summary>Channels of a picture: 3 for color, 1 for grey.</summary>
    public int InputChannels { get; init; } = 3;

    /// <summary>The number of channels of every layer is divided by this: 1, 2, 4, 8 or 16.</summary>
    public int WidthDivisor { get; init; } = 1;

    /// <summary>Dropout before the last layer.</summary>
    public double Dropout { get; init; } = 0.5;

    /// <summary>Inception v3 with its auxiliary head: 27,161,264 parameters.</summary>
    public static InceptionV3Config InceptionV3 => new();

    /// <summary>Inception v3 as it is used: 23,834,568 parameters.</summary>
    public static InceptionV3Config InceptionV3WithoutHead => new() { AuxiliaryHead = false };

    /// <summary>
    /// An eighth of the channels, ten classes; for tests and experiments on a CPU, with pictures of at least 75 × 75.
    /// </summary>
    public static InceptionV3Config Nano => new() { Classes = 10, WidthDivisor = 8, AuxiliaryHead = false };

    internal InceptionV3Config Validated()
    {
        Require.Sizes((Classes, nameof(Classes)));
        Require.Sizes((InputChannels, nameof(InputChannels)));
        CheckShared(TransformInput, InputChannels, WidthDivisor, largestDivisor: 16, Dropout);
        return this;
    }

    internal static void CheckShared(bool transformInput, int inputChannels, int widthDivisor, int largestDivisor, double dropout)
    {
        if (transformInput && inputChannels != 3)
            throw new ArgumentException($"TransformInput is for the three colors of ImageNet; InputChannels is {inputChannels}.");
        if (widthDivisor < 1 || largestDivisor % widthDivisor != 0)
            throw new ArgumentException($"WidthDivisor is {widthDivisor}; it must divide {largestDivisor}.");
        if (dropout is not (>= 0 and < 1))
            throw new ArgumentException($"Dropout is {dropout}; it must be at least 0 and less than 1.");
    }
}
