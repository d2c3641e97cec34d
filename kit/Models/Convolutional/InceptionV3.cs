using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Inception v3, an image classifier.</summary>
/// <remarks>
/// Szegedy et al., 2015, https://arxiv.org/abs/1512.00567. Parameter names and layouts are torchvision's. The
/// auxiliary head runs only in <see cref="ForwardWithAuxiliary"/>.
/// </remarks>
public sealed class InceptionV3 : Module<Tensor, Tensor>
{
    /// <summary>Smallest height and width of an image.</summary>
    public const int SmallestPicture = 75;

    private readonly BasicConv2d Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3;
    private readonly MaxPool2d maxpool1;
    private readonly BasicConv2d Conv2d_3b_1x1, Conv2d_4a_3x3;
    private readonly MaxPool2d maxpool2;
    private readonly InceptionA Mixed_5b, Mixed_5c, Mixed_5d;
    private readonly InceptionB Mixed_6a;
    private readonly InceptionC Mixed_6b, Mixed_6c, Mixed_6d, Mixed_6e;
    private readonly InceptionV3AuxiliaryHead? AuxLogits;
    private readonly InceptionD Mixed_7a;
    private readonly InceptionE Mixed_7b, Mixed_7c;
    private readonly AdaptiveAvgPool2d avgpool;
    private readonly Dropout dropout;
    private readonly Dense? fc;   // null without a head

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public InceptionV3(InceptionV3Config config) : base(nameof(InceptionV3))
    {
        Config = config.Validated();
        var d = config.WidthDivisor;
        var widths = new ChannelWidths(config.Channels);
        var channels = config.InputChannels;
        BasicConv2d Next(string name, int outputs, int kernel, int stride = 1, int padding = 0) =>
            new(channels, channels = widths.Of(name, outputs / d), kernel, stride, padding);
        T Mixed<T>(string name, Func<ChannelWidths, T> make) where T : InceptionBranches
        {
            var module = make(widths.In(name));
            channels = module.Outputs;
            return module;
        }
        InceptionA A(string name, int pool) => Mixed(name, own => new InceptionA(channels, pool / d, d, own));
        InceptionC C(string name, int narrow) => Mixed(name, own => new InceptionC(channels, narrow / d, d, own));
        InceptionE E(string name) => Mixed(name, own => new InceptionE(channels, d, own));
        Conv2d_1a_3x3 = Next(nameof(Conv2d_1a_3x3), 32, 3, stride: 2);
        Conv2d_2a_3x3 = Next(nameof(Conv2d_2a_3x3), 32, 3);
        Conv2d_2b_3x3 = Next(nameof(Conv2d_2b_3x3), 64, 3, padding: 1);
        maxpool1 = MaxPool2d(3, 2);
        Conv2d_3b_1x1 = Next(nameof(Conv2d_3b_1x1), 80, 1);
        Conv2d_4a_3x3 = Next(nameof(Conv2d_4a_3x3), 192, 3);
        maxpool2 = MaxPool2d(3, 2);
        Mixed_5b = A(nameof(Mixed_5b), 32);
        Mixed_5c = A(nameof(Mixed_5c), 64);
        Mixed_5d = A(nameof(Mixed_5d), 64);
        Mixed_6a = Mixed(nameof(Mixed_6a), own => new InceptionB(channels, d, own));
        Mixed_6b = C(nameof(Mixed_6b), 128);
        Mixed_6c = C(nameof(Mixed_6c), 160);
        Mixed_6d = C(nameof(Mixed_6d), 160);
        Mixed_6e = C(nameof(Mixed_6e), 192);
        AuxLogits = config is { AuxiliaryHead: true, Classes: > 0 }
            ? new InceptionV3AuxiliaryHead(channels, d, config.Classes, widths.In(nameof(AuxLogits))) : null;
        Mixed_7a = Mixed(nameof(Mixed_7a), own => new InceptionD(channels, d, own));
        Mixed_7b = E(nameof(Mixed_7b));
        Mixed_7c = E(nameof(Mixed_7c));
        avgpool = AdaptiveAvgPool2d(1);
        dropout = Dropout(config.Dropout);
        fc = config.Classes == 0 ? null : new Dense(channels, config.Classes);
        widths.Check();
        RegisterComponents();
        InceptionInitialization.Initialize(this,
            name => name switch { "AuxLogits.conv1.conv" => 0.01, "AuxLogits.fc" => 0.001, _ => 0.1 });
    }

    /// <summary>Configuration of the network.</summary>
    public InceptionV3Config Config { get; }

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="pictures">[batch, channels, height, width], at least 75 × 75.</param>
    /// <returns>[batch, classes]; without a head, the pooled features, [batch, channels out].</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], too small, or of another number of channels.
    /// </exception>
    public override Tensor forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Head(Features(pictures)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the logits of the final head and of the auxiliary head.</summary>
    /// <param name="pictures">
    /// [batch, channels, height, width], about 299 × 299: the auxiliary head needs a feature map of at least 17 ×
    /// 17.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], too small, or of another number of channels.
    /// </exception>
    /// <exception cref="InvalidOperationException">The network has no auxiliary head.</exception>
    public AuxiliaryLogits ForwardWithAuxiliary(Tensor pictures)
    {
        if (AuxLogits is null)
            throw new InvalidOperationException("This Inception v3 was created without an auxiliary head; "
                + "set AuxiliaryHead in its configuration.");
        using var scope = NewDisposeScope();
        var low = Low(pictures);
        var (_, _, height, width) = low.Axes4();
        if (Math.Min(height, width) < InceptionV3AuxiliaryHead.SmallestMap)
            throw new ArgumentException($"Images of {pictures.shape[2]} × {pictures.shape[3]} give the auxiliary head a "
                + "feature map of "
                + $"{height} × {width}; it needs {InceptionV3AuxiliaryHead.SmallestMap} × "
                    + $"{InceptionV3AuxiliaryHead.SmallestMap}, as of 299 × 299.", nameof(pictures));
        var logits = Head(High(low)).MoveToOuterDisposeScope();
        return new AuxiliaryLogits(logits, [AuxLogits.call(low).MoveToOuterDisposeScope()]);
    }

    /// <summary>Returns the feature map of the last module: the network without pooling and head.</summary>
    /// <param name="pictures">[batch, channels, height, width], at least 75 × 75.</param>
    /// <returns>[batch, channels out, about height / 32, about width / 32]; channels out are usually 2048 / width
    /// divisor.</returns>
    /// <exception cref="ArgumentException">
    /// The input is not [batch, channels, height, width], too small, or of another number of channels.
    /// </exception>
    public Tensor Features(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return High(Low(pictures)).MoveToOuterDisposeScope();
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

    /// <summary>Runs the layers up to the auxiliary head.</summary>
    private Tensor Low(Tensor pictures)
    {
        Require.Images(pictures, Config.InputChannels, SmallestPicture);
        var x = Config.TransformInput ? SignedImages.FromImageNet(pictures) : pictures;
        x = x.Through(Conv2d_1a_3x3).Through(Conv2d_2a_3x3).Through(Conv2d_2b_3x3).Through(maxpool1)
             .Through(Conv2d_3b_1x1).Through(Conv2d_4a_3x3).Through(maxpool2);
        x = x.Through(Mixed_5b).Through(Mixed_5c).Through(Mixed_5d);
        return x.Through(Mixed_6a).Through(Mixed_6b).Through(Mixed_6c).Through(Mixed_6d).Through(Mixed_6e);
    }

    private Tensor High(Tensor low) => low.Through(Mixed_7a).Through(Mixed_7b).Through(Mixed_7c);
}
