using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// Inception module: four parallel branches on the same input: 1 × 1, 3 × 3, 5 × 5 (in the paper), and pooling.
/// </summary>
/// <remarks>
/// Szegedy et al., 2014, §4, https://arxiv.org/abs/1409.4842. The third branch is 3 × 3 instead of 5 × 5, as in
/// the TensorFlow network from which torchvision's weights come.
/// </remarks>
internal sealed class InceptionModule : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch1;
    private readonly Chain branch2, branch3, branch4;

    /// <param name="inputs">Number of input channels.</param>
    /// <param name="one">Channels of the 1 × 1 branch.</param>
    /// <param name="two">Channels of the second branch: after its 1 × 1 and after its 3 × 3.</param>
    /// <param name="three">Channels of the third branch: after its 1 × 1 and after its 3 × 3.</param>
    /// <param name="pool">Channels of the pooling branch.</param>
    /// <param name="divisor">The channels are divided by this.</param>
    /// <param name="widths">Channels that differ from these.</param>
    public InceptionModule(int inputs, int one, (int Narrow, int Wide) two, (int Narrow, int Wide) three, int pool, int divisor,
        ChannelWidths widths) : base(nameof(InceptionModule))
    {
        Chain Branch(string name, (int Narrow, int Wide) usual)
        {
            var narrow = widths.Of($"{name}.0", usual.Narrow / divisor);
            var wide = widths.Of($"{name}.1", usual.Wide / divisor);
            Outputs += wide;
            return new Chain([new BasicConv2d(inputs, narrow, 1), new BasicConv2d(narrow, wide, 3, padding: 1)]);
        }
        var first = widths.Of("branch1", one / divisor);
        var last = widths.Of("branch4.1", pool / divisor);
        Outputs = first + last;
        branch1 = new BasicConv2d(inputs, first, 1);
        branch2 = Branch("branch2", two);
        branch3 = Branch("branch3", three);
        branch4 = new Chain([MaxPool2d(3, 1, 1, ceil_mode: true), new BasicConv2d(inputs, last, 1)]);
        RegisterComponents();
    }

    /// <summary>Output channels of all branches.</summary>
    public int Outputs { get; private set; }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return cat([branch1.call(x), branch2.call(x), branch3.call(x), branch4.call(x)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Auxiliary head of GoogLeNet.</summary>
internal sealed class GoogLeNetAuxiliaryHead : Module<Tensor, Tensor>
{
    private readonly AdaptiveAvgPool2d pool = AdaptiveAvgPool2d(4);
    private readonly BasicConv2d conv;
    private readonly Dense fc1;
    private readonly Dense fc2;
    private readonly Dropout dropout;
    private readonly Relu relu = new();

    public GoogLeNetAuxiliaryHead(int inputs, int divisor, int classes, double dropout, ChannelWidths widths)
        : base(nameof(GoogLeNetAuxiliaryHead))
    {
        var narrow = widths.Of("conv", 128 / divisor);
        var hidden = widths.Of("fc1", 1024 / divisor);
        conv = new BasicConv2d(inputs, narrow, 1);
        fc1 = new Dense(16 * narrow, hidden);
        fc2 = new Dense(hidden, classes);
        this.dropout = Dropout(dropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var flat = x.Through(pool).Through(conv).flatten(1);   // [batch, 16 · channels]
        return flat.Through(fc1).Through(relu).Through(dropout).Through(fc2).MoveToOuterDisposeScope();
    }
}
