using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A VGG network: stages of 3 × 3 convolutions, then three fully connected layers.</summary>
/// <remarks>
/// Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556. Parameter names and layouts are torchvision's: the convolutions
/// are in <c>features</c>, the fully connected layers in <c>classifier</c>, by their numbers.
/// </remarks>
public sealed class Vgg : Module<Tensor, Tensor>
{
    private readonly Chain features;
    private readonly AdaptiveAvgPool2d avgpool;
    private readonly Chain classifier;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public Vgg(VggConfig config) : base(nameof(Vgg))
    {
        Config = config.Validated();
        features = new Chain(Convolutions(config));
        avgpool = AdaptiveAvgPool2d(config.PooledSize);
        var flat = config.Stages[^1][^1] * config.PooledSize * config.PooledSize;
        var first = config.HiddenWidths.At(0, config.HiddenWidth);
        var second = config.HiddenWidths.At(1, config.HiddenWidth);
        Module<Tensor, Tensor>[] last = config.Classes == 0 ? [] : [new Dense(second, config.Classes)];
        classifier = new Chain([
            new Dense(flat, first), new Relu(), Dropout(config.Dropout),
            new Dense(first, second), new Relu(), Dropout(config.Dropout), .. last]);
        RegisterComponents();
        Initialize();
    }

    /// <summary>Configuration of the network.</summary>
    public VggConfig Config { get; }

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="pictures">[batch, channels, height, width].</param>
    /// <returns>[batch, classes]; without a head, [batch, hidden width].</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], too small, or of another number of channels.
    /// </exception>
    public override Tensor forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Head(Features(pictures)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the feature map after the last stage: the network without pooling and classifier.</summary>
    /// <param name="pictures">[batch, channels, height, width].</param>
    /// <returns>[batch, channels out, height, width], halved (rounded down) as often as there are stages.</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], too small, or of another number of channels.
    /// </exception>
    public Tensor Features(Tensor pictures)
    {
        Require.Images(pictures, Config.InputChannels, smallest: 1 << Config.Stages.Count);
        return pictures.Through(features);
    }

    /// <summary>Computes logits from the last feature map.</summary>
    /// <param name="map">[batch, channels out, height, width].</param>
    /// <returns>[batch, classes]; without a head, [batch, hidden width].</returns>
    public Tensor Head(Tensor map)
    {
        using var scope = NewDisposeScope();
        return map.Through(avgpool).flatten(1).Through(classifier).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Module<Tensor, Tensor>> Convolutions(VggConfig config)
    {
        var channels = config.InputChannels;
        foreach (var stage in config.Stages)
        {
            foreach (var width in stage)
            {
                yield return new Convolution2d(channels, width, 3, padding: 1);
                if (config.BatchNorm) yield return BatchNorm2d(width);
                yield return new Relu();
                channels = width;
            }
            yield return MaxPool2d(2, 2);
        }
    }

    /// <summary>
    /// Initializes convolutions from a normal distribution by their fan-out, fully connected layers with standard
    /// deviation 0.01, and biases to zero.
    /// </summary>
    private void Initialize()
    {
        foreach (var module in modules())
        {
            if (module is Convolution2d convolution)
            {
                init.kaiming_normal_(convolution.Weight, mode: init.FanInOut.FanOut, nonlinearity: init.NonlinearityType.ReLU);
                init.zeros_(convolution.Bias!);
            }
            else if (module is Dense linear)
            {
                init.normal_(linear.weight, 0, 0.01);
                init.zeros_(linear.bias!);
            }
        }
    }
}
