using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A residual network (ResNet), an image classifier.</summary>
/// <remarks>
/// He et al., 2015, https://arxiv.org/abs/1512.03385. Parameter names and layouts are torchvision's. The
/// feature maps of the stages <c>layer1</c> to <c>layer4</c> have strides 4, 8, 16 and 32;
/// <see cref="FeatureMaps"/> returns them.
/// </remarks>
public sealed class ResNet : Module<Tensor, Tensor>
{
    private readonly Convolution2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Relu relu = new();
    private readonly Module<Tensor, Tensor> maxpool;
    private readonly Chain layer1, layer2, layer3, layer4;
    private readonly AdaptiveAvgPool2d avgpool;
    private readonly Dense? fc;   // null without a head
    private readonly ConvolutionStep stem;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public ResNet(ResNetConfig config) : base(nameof(ResNet))
    {
        Config = config.Validated();
        var small = config.Stem == Stem.Small;
        var widths = new ChannelWidths(config.Channels);
        var channels = widths.Of("conv1", config.Width);
        conv1 = small ? new Convolution2d(config.InputChannels, channels, 3, 1, 1, hasBias: false)
            : new Convolution2d(config.InputChannels, channels, 7, 2, 3, hasBias: false);
        bn1 = BatchNorm2d(channels);
        stem = new ConvolutionStep(conv1, bn1, relu);
        maxpool = small ? Identity() : MaxPool2d(3, 2, 1);

        var dilation = 1;
        Chain Stage(int number)
        {
            var width = config.Width << number;
            var stride = number == 0 ? 1 : 2;
            var firstDilation = dilation;
            if (number > 0 && config.DilateInsteadOfStride[number - 1])
            {
                stride = 1;
                dilation *= 2;
            }
            var projects = config.Projects(number);
            var outputs = projects ? widths.Of($"layer{number + 1}", config.OutputWidth(width)) : channels;
            return new Chain(Enumerable.Range(0, config.Blocks[number]).Select(block =>
            {
                var shape = new BlockShape(channels, outputs, block == 0 ? stride : 1, Projects: projects && block == 0,
                    OverwritesInput: block > 0);
                channels = outputs;
                return Block(config, shape, width, block == 0 ? firstDilation : dilation,
                    widths.In($"layer{number + 1}.{block}"));
            }));
        }
        layer1 = Stage(0);
        layer2 = Stage(1);
        layer3 = Stage(2);
        layer4 = Stage(3);
        avgpool = AdaptiveAvgPool2d(1);
        fc = config.Classes == 0 ? null : new Dense(channels, config.Classes);
        widths.Check();
        RegisterComponents();
        Initialize();
    }

    /// <summary>Configuration of the network.</summary>
    public ResNetConfig Config { get; }

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="pictures">[batch, channels, height, width].</param>
    /// <returns>[batch, classes]; without a head, the pooled features, [batch, channels out].</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], or it has another number of channels.
    /// </exception>
    public override Tensor forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Head(Features(pictures)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the feature map of the last stage: the network without pooling and head.</summary>
    /// <param name="pictures">[batch, channels, height, width].</param>
    /// <returns>[batch, channels out, height / 32, width / 32], rounded up; / 8 with the small stem.</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], or it has another number of channels.
    /// </exception>
    public Tensor Features(Tensor pictures)
    {
        Require.Images(pictures, Config.InputChannels, smallest: 1);
        using var scope = NewDisposeScope();
        var x = pictures.Through(stem).Through(maxpool);
        return x.Through(layer1).Through(layer2).Through(layer3).Through(layer4).MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits from the feature map of the last stage.</summary>
    /// <param name="features">[batch, channels out, height, width].</param>
    /// <returns>[batch, classes]; without a head, the pooled features, [batch, channels out].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var pooled = features.Through(avgpool).flatten(1);
        return (fc is null ? pooled : pooled.Through(fc)).MoveToOuterDisposeScope();
    }

    private static Module<Tensor, Tensor> Block(ResNetConfig config, BlockShape shape, int width, int dilation,
        ChannelWidths widths) =>
        config.Block == ResidualBlock.Basic ? new BasicBlock(shape, widths.Of("conv1", width))
            : new Bottleneck(shape, widths.Of("conv1", config.InnerWidth(width)), widths.Of("conv2", config.InnerWidth(width)),
                config.Groups, dilation);

    /// <summary>
    /// Initializes convolutions from a normal distribution by their fan-out (He et al., 2015,
    /// https://arxiv.org/abs/1502.01852); norms start as identities.
    /// </summary>
    private void Initialize()
    {
        foreach (var module in modules())
        {
            if (module is Convolution2d convolution)
                init.kaiming_normal_(convolution.Weight, mode: init.FanInOut.FanOut, nonlinearity: init.NonlinearityType.ReLU);
            else if (Config.ZeroInitialBranches && module is BasicBlock basic) init.zeros_(basic.LastNorm.weight!);
            else if (Config.ZeroInitialBranches && module is Bottleneck bottleneck) init.zeros_(bottleneck.LastNorm.weight!);
        }
    }
}
