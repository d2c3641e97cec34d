using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>GoogLeNet, the first Inception network: an image classifier.</summary>
/// <remarks>
/// Szegedy et al., 2014, https://arxiv.org/abs/1409.4842, with batch norm. Parameter names and layouts are
/// torchvision's. The auxiliary heads run only in <see cref="ForwardWithAuxiliary"/>.
/// </remarks>
public sealed class GoogLeNet : Module<Tensor, Tensor>
{
    private readonly BasicConv2d conv1;
    private readonly Module<Tensor, Tensor> maxpool1;
    private readonly BasicConv2d conv2, conv3;
    private readonly MaxPool2d maxpool2;
    private readonly InceptionModule inception3a, inception3b;
    private readonly MaxPool2d maxpool3;
    private readonly InceptionModule inception4a, inception4b, inception4c, inception4d, inception4e;
    private readonly MaxPool2d maxpool4;
    private readonly InceptionModule inception5a, inception5b;
    private readonly GoogLeNetAuxiliaryHead? aux1, aux2;
    private readonly AdaptiveAvgPool2d avgpool;
    private readonly Dropout dropout;
    private readonly Dense? fc;   // null without a head

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public GoogLeNet(GoogLeNetConfig config) : base(nameof(GoogLeNet))
    {
        Config = config.Validated();
        var d = config.WidthDivisor;
        var widths = new ChannelWidths(config.Channels);
        var small = config.Stem == Stem.Small;
        var channels = widths.Of("conv1", 64 / d);
        conv1 = small ? new BasicConv2d(config.InputChannels, channels, 3, padding: 1)
            : new BasicConv2d(config.InputChannels, channels, 7, stride: 2, padding: 3);
        BasicConv2d Next(string name, int outputs, int kernel) =>
            new(channels, channels = widths.Of(name, outputs / d), kernel, padding: kernel / 2);
        InceptionModule Inception(string name, int one, (int, int) two, (int, int) three, int pool)
        {
            var module = new InceptionModule(channels, one, two, three, pool, d, widths.In(name));
            channels = module.Outputs;
            return module;
        }
        maxpool1 = small ? Identity() : MaxPool2d(3, 2, ceil_mode: true);
        conv2 = Next("conv2", 64, 1);
        conv3 = Next("conv3", 192, 3);
        maxpool2 = MaxPool2d(3, 2, ceil_mode: true);
        inception3a = Inception("inception3a", 64, (96, 128), (16, 32), 32);
        inception3b = Inception("inception3b", 128, (128, 192), (32, 96), 64);
        maxpool3 = MaxPool2d(3, 2, ceil_mode: true);
        inception4a = Inception("inception4a", 192, (96, 208), (16, 48), 64);
        var low = channels;
        inception4b = Inception("inception4b", 160, (112, 224), (24, 64), 64);
        inception4c = Inception("inception4c", 128, (128, 256), (24, 64), 64);
        inception4d = Inception("inception4d", 112, (144, 288), (32, 64), 64);
        var middle = channels;
        inception4e = Inception("inception4e", 256, (160, 320), (32, 128), 128);
        maxpool4 = MaxPool2d(2, 2, ceil_mode: true);
        inception5a = Inception("inception5a", 256, (160, 320), (32, 128), 128);
        inception5b = Inception("inception5b", 384, (192, 384), (48, 128), 128);
        if (config is { AuxiliaryHeads: true, Classes: > 0 })
        {
            aux1 = new GoogLeNetAuxiliaryHead(low, d, config.Classes, config.AuxiliaryDropout, widths.In("aux1"));
            aux2 = new GoogLeNetAuxiliaryHead(middle, d, config.Classes, config.AuxiliaryDropout, widths.In("aux2"));
        }
        avgpool = AdaptiveAvgPool2d(1);
        dropout = Dropout(config.Dropout);
        fc = config.Classes == 0 ? null : new Dense(channels, config.Classes);
        widths.Check();
        RegisterComponents();
        InceptionInitialization.Initialize(this, _ => 0.01);
    }

    /// <summary>Configuration of the network.</summary>
    public GoogLeNetConfig Config { get; }

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

    /// <summary>Returns the logits of the final head and of both auxiliary heads.</summary>
    /// <inheritdoc cref="forward"/>
    /// <exception cref="InvalidOperationException">The network has no auxiliary heads.</exception>
    public AuxiliaryLogits ForwardWithAuxiliary(Tensor pictures)
    {
        if (aux1 is null || aux2 is null)
            throw new InvalidOperationException("This GoogLeNet was created without auxiliary heads; "
                + "set AuxiliaryHeads in its configuration.");
        using var scope = NewDisposeScope();
        var low = Low(pictures);
        var middle = Middle(low);
        var logits = Head(High(middle)).MoveToOuterDisposeScope();
        return new AuxiliaryLogits(logits,
            [aux1.call(low).MoveToOuterDisposeScope(), aux2.call(middle).MoveToOuterDisposeScope()]);
    }

    /// <summary>Returns the feature map of the last module: the network without pooling and head.</summary>
    /// <param name="pictures">[batch, channels, height, width].</param>
    /// <returns>[batch, channels out, height / 32, width / 32]; / 8 with the small stem. Channels out are usually 1024 /
    /// width divisor.</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], or it has another number of channels.
    /// </exception>
    public Tensor Features(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return High(Middle(Low(pictures))).MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits from the feature map of the last module.</summary>
    /// <param name="features">[batch, channels out, height, width].</param>
    /// <returns>[batch, classes]; without a head, the pooled features, [batch, channels out].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        var pooled = features.Through(avgpool).flatten(1);
        return (fc is null ? pooled : pooled.Through(dropout).Through(fc)).MoveToOuterDisposeScope();
    }

    /// <summary>Runs the layers up to the first auxiliary head.</summary>
    private Tensor Low(Tensor pictures)
    {
        Require.Images(pictures, Config.InputChannels, smallest: 1);
        var x = Config.TransformInput ? SignedImages.FromImageNet(pictures) : pictures;
        x = x.Through(conv1).Through(maxpool1).Through(conv2).Through(conv3).Through(maxpool2);
        return x.Through(inception3a).Through(inception3b).Through(maxpool3).Through(inception4a);
    }

    /// <summary>Runs the layers from the first to the second auxiliary head.</summary>
    private Tensor Middle(Tensor low) => low.Through(inception4b).Through(inception4c).Through(inception4d);

    private Tensor High(Tensor middle) => middle.Through(inception4e).Through(maxpool4).Through(inception5a).Through(inception5b);
}
