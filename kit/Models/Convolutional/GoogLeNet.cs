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
        InceptionModule Inception(int inputs, int one, int narrow2, int wide2, int narrow3, int wide3, int pool) =>
            new(inputs / d, one / d, (narrow2 / d, wide2 / d), (narrow3 / d, wide3 / d), pool / d);

        var small = config.Stem == Stem.Small;
        conv1 = small ? new BasicConv2d(config.InputChannels, 64 / d, 3, padding: 1)
            : new BasicConv2d(config.InputChannels, 64 / d, 7, stride: 2, padding: 3);
        maxpool1 = small ? Identity() : MaxPool2d(3, 2, ceil_mode: true);
        conv2 = new BasicConv2d(64 / d, 64 / d, 1);
        conv3 = new BasicConv2d(64 / d, 192 / d, 3, padding: 1);
        maxpool2 = MaxPool2d(3, 2, ceil_mode: true);
        inception3a = Inception(192, 64, 96, 128, 16, 32, 32);
        inception3b = Inception(256, 128, 128, 192, 32, 96, 64);
        maxpool3 = MaxPool2d(3, 2, ceil_mode: true);
        inception4a = Inception(480, 192, 96, 208, 16, 48, 64);
        inception4b = Inception(512, 160, 112, 224, 24, 64, 64);
        inception4c = Inception(512, 128, 128, 256, 24, 64, 64);
        inception4d = Inception(512, 112, 144, 288, 32, 64, 64);
        inception4e = Inception(528, 256, 160, 320, 32, 128, 128);
        maxpool4 = MaxPool2d(2, 2, ceil_mode: true);
        inception5a = Inception(832, 256, 160, 320, 32, 128, 128);
        inception5b = Inception(832, 384, 192, 384, 48, 128, 128);
        if (config is { AuxiliaryHeads: true, Classes: > 0 })
        {
            aux1 = new GoogLeNetAuxiliaryHead(512 / d, d, config.Classes, config.AuxiliaryDropout);
            aux2 = new GoogLeNetAuxiliaryHead(528 / d, d, config.Classes, config.AuxiliaryDropout);
        }
        avgpool = AdaptiveAvgPool2d(1);
        dropout = Dropout(config.Dropout);
        fc = config.Classes == 0 ? null : new Dense(1024 / d, config.Classes);
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
    /// <returns>[batch, 1024 / width divisor, height / 32, width / 32]; / 8 with the small stem.</returns>
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
