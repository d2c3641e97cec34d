using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Shape of a residual block as seen from outside.</summary>
/// <param name="Inputs">Number of input channels.</param>
/// <param name="Outputs">Number of output channels.</param>
/// <param name="Stride">Stride of the 3 × 3 convolution, the first one of a basic block.</param>
/// <param name="Projects">Whether a 1 × 1 convolution adapts the input to the output's shape.</param>
/// <param name="OverwritesInput">
/// Whether a packed model may overwrite the block's input, which is the output of another block.
/// </param>
internal sealed record BlockShape(int Inputs, int Outputs, int Stride, bool Projects, bool OverwritesInput);

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

    /// <param name="shape">Channels in and out, and the stride.</param>
    /// <param name="inner">Channels between the two convolutions.</param>
    public BasicBlock(BlockShape shape, int inner) : base(nameof(BasicBlock))
    {
        overwritesInput = shape.OverwritesInput;
        conv1 = new Convolution2d(shape.Inputs, inner, 3, shape.Stride, 1, hasBias: false);
        bn1 = BatchNorm2d(inner);
        conv2 = new Convolution2d(inner, shape.Outputs, 3, 1, 1, hasBias: false);
        bn2 = BatchNorm2d(shape.Outputs);
        downsample = Bottleneck.Shortcut(shape);
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

    /// <param name="shape">Channels in and out, and the stride.</param>
    /// <param name="narrow">Channels after the first 1 × 1 convolution.</param>
    /// <param name="inner">Channels after the 3 × 3 convolution.</param>
    /// <param name="groups">Groups of the 3 × 3 convolution.</param>
    /// <param name="dilation">Dilation of the 3 × 3 convolution.</param>
    public Bottleneck(BlockShape shape, int narrow, int inner, int groups, int dilation) : base(nameof(Bottleneck))
    {
        overwritesInput = shape.OverwritesInput;
        conv1 = new Convolution2d(shape.Inputs, narrow, 1, hasBias: false);
        bn1 = BatchNorm2d(narrow);
        conv2 = new Convolution2d(narrow, inner, 3, shape.Stride, dilation, dilation, groups: groups, hasBias: false);
        bn2 = BatchNorm2d(inner);
        conv3 = new Convolution2d(inner, shape.Outputs, 1, hasBias: false);
        bn3 = BatchNorm2d(shape.Outputs);
        downsample = Shortcut(shape);
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
    public static Chain? Shortcut(BlockShape shape) => !shape.Projects ? null
        : new Chain([new Convolution2d(shape.Inputs, shape.Outputs, 1, shape.Stride, hasBias: false),
            BatchNorm2d(shape.Outputs)]);
}
