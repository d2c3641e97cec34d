using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Basic block: x ← relu(x + branch(x)), where the branch is two 3 × 3 convolutions.</summary>
internal sealed class BasicBlock : Module<Tensor, Tensor>
{
    private readonly Convolution2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Relu relu = new();
    private readonly Convolution2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Chain? downsample;
    private readonly ConvolutionStep first, last;
    private readonly bool overwritesInput;

    /// <param name="inputs">Number of input channels.</param>
    /// <param name="outputs">Number of output channels.</param>
    /// <param name="stride">Stride of the first convolution.</param>
    /// <param name="overwritesInput">
    /// Whether a packed model may overwrite the block's input, which is the output of another block.
    /// </param>
    public BasicBlock(int inputs, int outputs, int stride, bool overwritesInput) : base(nameof(BasicBlock))
    {
        this.overwritesInput = overwritesInput;
        conv1 = new Convolution2d(inputs, outputs, 3, stride, 1, hasBias: false);
        bn1 = BatchNorm2d(outputs);
        conv2 = new Convolution2d(outputs, outputs, 3, 1, 1, hasBias: false);
        bn2 = BatchNorm2d(outputs);
        downsample = Bottleneck.Shortcut(inputs, outputs, stride);
        first = new ConvolutionStep(conv1, bn1, relu);
        last = new ConvolutionStep(conv2, bn2, relu);
        RegisterComponents();
    }

    /// <summary>The last norm of the branch.</summary>
    public BatchNorm2d LastNorm => bn2;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.Through(first).Through(last, added: downsample is null ? x : downsample.call(x),
            overwrites: downsample is not null || overwritesInput).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Bottleneck block: x ← relu(x + branch(x)), where the branch is 1 × 1, 3 × 3 and 1 × 1 convolutions, with
/// fewer channels in the middle.
/// </summary>
internal sealed class Bottleneck : Module<Tensor, Tensor>
{
    /// <summary>Ratio of a block's output channels to its stage's width.</summary>
    public const int Expansion = 4;

    private readonly Convolution2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly Convolution2d conv2;
    private readonly BatchNorm2d bn2;
    private readonly Convolution2d conv3;
    private readonly BatchNorm2d bn3;
    private readonly Relu relu = new();
    private readonly Chain? downsample;
    private readonly ConvolutionStep first, middle, last;
    private readonly bool overwritesInput;

    /// <param name="inputs">Number of input channels.</param>
    /// <param name="inner">Channels of the 3 × 3 convolution.</param>
    /// <param name="outputs">Number of output channels.</param>
    /// <param name="stride">Stride of the 3 × 3 convolution.</param>
    /// <param name="groups">Groups of the 3 × 3 convolution.</param>
    /// <param name="dilation">Dilation of the 3 × 3 convolution.</param>
    /// <param name="overwritesInput">
    /// Whether a packed model may overwrite the block's input, which is the output of another block.
    /// </param>
    public Bottleneck(int inputs, int inner, int outputs, int stride, int groups, int dilation, bool overwritesInput)
        : base(nameof(Bottleneck))
    {
        this.overwritesInput = overwritesInput;
        conv1 = new Convolution2d(inputs, inner, 1, hasBias: false);
        bn1 = BatchNorm2d(inner);
        conv2 = new Convolution2d(inner, inner, 3, stride, dilation, dilation, groups: groups, hasBias: false);
        bn2 = BatchNorm2d(inner);
        conv3 = new Convolution2d(inner, outputs, 1, hasBias: false);
        bn3 = BatchNorm2d(outputs);
        downsample = Shortcut(inputs, outputs, stride);
        first = new ConvolutionStep(conv1, bn1, relu);
        middle = new ConvolutionStep(conv2, bn2, relu);
        last = new ConvolutionStep(conv3, bn3, relu);
        RegisterComponents();
    }

    /// <summary>The last norm of the branch.</summary>
    public BatchNorm2d LastNorm => bn3;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.Through(first).Through(middle).Through(last, added: downsample is null ? x : downsample.call(x),
            overwrites: downsample is not null || overwritesInput).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Returns the projection that adapts the input to the branch's output shape; null if the shapes agree.
    /// </summary>
    public static Chain? Shortcut(int inputs, int outputs, int stride) => inputs == outputs && stride == 1 ? null
        : new Chain([new Convolution2d(inputs, outputs, 1, stride, hasBias: false), BatchNorm2d(outputs)]);
}
