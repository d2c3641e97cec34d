using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of a VGG network.</summary>
/// <remarks>Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556.</remarks>
public sealed record VggConfig
{
    /// <summary>
    /// Channels of each 3 × 3 convolution, by stage; each stage ends with pooling that halves the feature map.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>> Stages { get; init; } = [[64], [128], [256, 256], [512, 512], [512, 512]];

    /// <summary>Whether a batch norm follows each convolution.</summary>
    public bool BatchNorm { get; init; }

    /// <summary>
    /// Number of classes; 0 for no last layer, so that the network returns the features of its second hidden layer.
    /// </summary>
    public int Classes { get; init; } = 1000;

    /// <summary>Channels of an image: 3 for color, 1 for grey.</summary>
    public int InputChannels { get; init; } = 3;

    /// <summary>Height and width of the feature map after adaptive average pooling.</summary>
    public int PooledSize { get; init; } = 7;

    /// <summary>Width of the two hidden layers of the classifier.</summary>
    public int HiddenWidth { get; init; } = 4096;

    /// <summary>
    /// Widths of the two hidden layers of the classifier, where they differ, such as after structured pruning; null for
    /// <see cref="HiddenWidth"/> in both.
    /// </summary>
    public IReadOnlyList<int>? HiddenWidths { get; init; }

    /// <summary>Dropout of the hidden layers.</summary>
    public double Dropout { get; init; } = 0.5;

    /// <summary>VGG-11, configuration A: 132,863,336 parameters.</summary>
    public static VggConfig Vgg11 => new();

    /// <summary>VGG-11 with batch norm: 132,868,840 parameters.</summary>
    public static VggConfig Vgg11BatchNorm => Vgg11 with { BatchNorm = true };

    /// <summary>VGG-13, configuration B: 133,047,848 parameters.</summary>
    public static VggConfig Vgg13 => new() { Stages = Uniform(2, 2, 2, 2, 2) };

    /// <summary>VGG-13 with batch norm: 133,053,736 parameters.</summary>
    public static VggConfig Vgg13BatchNorm => Vgg13 with { BatchNorm = true };

    /// <summary>VGG-16, configuration D: 138,357,544 parameters.</summary>
    public static VggConfig Vgg16 => new() { Stages = Uniform(2, 2, 3, 3, 3) };

    /// <summary>VGG-16 with batch norm: 138,365,992 parameters.</summary>
    public static VggConfig Vgg16BatchNorm => Vgg16 with { BatchNorm = true };

    /// <summary>VGG-19, configuration E: 143,667,240 parameters.</summary>
    public static VggConfig Vgg19 => new() { Stages = Uniform(2, 2, 4, 4, 4) };

    /// <summary>VGG-19 with batch norm: 143,678,248 parameters.</summary>
    public static VggConfig Vgg19BatchNorm => Vgg19 with { BatchNorm = true };

    /// <summary>For grey images of 28 × 28 and ten classes; trains in a minute on a CPU.</summary>
    public static VggConfig Nano => new()
    {
        Stages = [[16], [32], [64, 64]],
        BatchNorm = true,
        Classes = 10,
        InputChannels = 1,
        PooledSize = 3,
        HiddenWidth = 128,
    };

    internal VggConfig Validated()
    {
        Require.AtLeast(0, Classes);
        Require.Sizes((InputChannels, nameof(InputChannels)));
        Require.Sizes((PooledSize, nameof(PooledSize)));
        Require.Sizes((HiddenWidth, nameof(HiddenWidth)));
        LayerWidths.Check(HiddenWidths, 2, nameof(HiddenWidths));
        if (Dropout is not (>= 0 and < 1))
            throw new ArgumentException($"Dropout is {Dropout}; it must be at least 0 and less than 1.");
        return Stages.Count > 0 && Stages.All(stage => stage.Count > 0 && stage.All(width => width > 0)) ? this
            : throw new ArgumentException($"Stages is [{string.Join("], [", Stages.Select(stage => string.Join(", ", stage)))}]; "
                + "expected at least one stage, each with at least one convolution of at least one channel.");
    }

    private static IReadOnlyList<IReadOnlyList<int>> Uniform(params int[] convolutions) =>
        [.. convolutions.Select((count, stage) => Enumerable.Repeat(Math.Min(64 << stage, 512), count).ToArray())];
}
