using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace ResearchKit.Models;

/// <summary>A module of Inception v3: parallel branches whose outputs are concatenated.</summary>
internal abstract class InceptionBranches(string name, int divisor, ChannelWidths widths) : Module<Tensor, Tensor>(name)
{
    /// <summary>Output channels of all branches.</summary>
    public int Outputs { get; private protected set; }

    /// <summary>Channels of a convolution.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="usual">Its channels before they are divided.</param>
    private protected int Of(string layer, int usual) => widths.Of(layer, usual / divisor);

    /// <summary>Channels of a convolution at the end of a branch, which are added to the outputs.</summary>
    private protected int End(string layer, int usual)
    {
        var channels = Of(layer, usual);
        Outputs += channels;
        return channels;
    }
}

/// <summary>Module for 35 × 35 maps with parallel branches: 1 × 1, 5 × 5, two 3 × 3, and pooling.</summary>
/// <remarks>
/// Szegedy et al., 2015, figure 5, https://arxiv.org/abs/1512.00567; names are torchvision's, as in all modules here.
/// </remarks>
internal sealed class InceptionA : InceptionBranches
{
    private readonly BasicConv2d branch1x1, branch5x5_1, branch5x5_2, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3, branch_pool;

    public InceptionA(int inputs, int pool, int divisor, ChannelWidths widths)
        : base(nameof(InceptionA), divisor, widths)
    {
        var five = Of(nameof(branch5x5_1), 48);
        var three = Of(nameof(branch3x3dbl_1), 64);
        var wide = Of(nameof(branch3x3dbl_2), 96);
        branch1x1 = new BasicConv2d(inputs, End(nameof(branch1x1), 64), 1);
        branch5x5_1 = new BasicConv2d(inputs, five, 1);
        branch5x5_2 = new BasicConv2d(five, End(nameof(branch5x5_2), 64), 5, padding: 2);
        branch3x3dbl_1 = new BasicConv2d(inputs, three, 1);
        branch3x3dbl_2 = new BasicConv2d(three, wide, 3, padding: 1);
        branch3x3dbl_3 = new BasicConv2d(wide, End(nameof(branch3x3dbl_3), 96), 3, padding: 1);
        branch_pool = new BasicConv2d(inputs, End(nameof(branch_pool), pool * divisor), 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var five = x.Through(branch5x5_1).Through(branch5x5_2);
        var three = x.Through(branch3x3dbl_1).Through(branch3x3dbl_2).Through(branch3x3dbl_3);
        var pooled = avg_pool2d(x, 3, 1, 1).Through(branch_pool);
        return cat([x.Through(branch1x1), five, three, pooled], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Reduction from 35 × 35 to 17 × 17: strided convolutions in parallel with strided pooling.</summary>
internal sealed class InceptionB : InceptionBranches
{
    private readonly BasicConv2d branch3x3, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3;

    public InceptionB(int inputs, int divisor, ChannelWidths widths)
        : base(nameof(InceptionB), divisor, widths)
    {
        var narrow = Of(nameof(branch3x3dbl_1), 64);
        var wide = Of(nameof(branch3x3dbl_2), 96);
        branch3x3 = new BasicConv2d(inputs, End(nameof(branch3x3), 384), 3, stride: 2);
        branch3x3dbl_1 = new BasicConv2d(inputs, narrow, 1);
        branch3x3dbl_2 = new BasicConv2d(narrow, wide, 3, padding: 1);
        branch3x3dbl_3 = new BasicConv2d(wide, End(nameof(branch3x3dbl_3), 96), 3, stride: 2);
        Outputs += inputs;   // the pooling branch
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var twice = x.Through(branch3x3dbl_1).Through(branch3x3dbl_2).Through(branch3x3dbl_3);
        return cat([x.Through(branch3x3), twice, max_pool2d(x, 3, 2)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Module for 17 × 17 maps: 7 × 7 convolutions factorized into 1 × 7 and 7 × 1, once and twice.
/// </summary>
internal sealed class InceptionC : InceptionBranches
{
    private readonly BasicConv2d branch1x1, branch7x7_1, branch7x7_2, branch7x7_3;
    private readonly BasicConv2d branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5, branch_pool;

    public InceptionC(int inputs, int narrow, int divisor, ChannelWidths widths)
        : base(nameof(InceptionC), divisor, widths)
    {
        int Narrow(string layer) => Of(layer, narrow * divisor);
        var (once1, once2) = (Narrow(nameof(branch7x7_1)), Narrow(nameof(branch7x7_2)));
        int[] twice = [Narrow(nameof(branch7x7dbl_1)), Narrow(nameof(branch7x7dbl_2)), Narrow(nameof(branch7x7dbl_3)),
            Narrow(nameof(branch7x7dbl_4))];
        branch1x1 = new BasicConv2d(inputs, End(nameof(branch1x1), 192), 1);
        branch7x7_1 = new BasicConv2d(inputs, once1, 1);
        branch7x7_2 = Across(once1, once2);
        branch7x7_3 = Down(once2, End(nameof(branch7x7_3), 192));
        branch7x7dbl_1 = new BasicConv2d(inputs, twice[0], 1);
        branch7x7dbl_2 = Down(twice[0], twice[1]);
        branch7x7dbl_3 = Across(twice[1], twice[2]);
        branch7x7dbl_4 = Down(twice[2], twice[3]);
        branch7x7dbl_5 = Across(twice[3], End(nameof(branch7x7dbl_5), 192));
        branch_pool = new BasicConv2d(inputs, End(nameof(branch_pool), 192), 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var once = x.Through(branch7x7_1).Through(branch7x7_2).Through(branch7x7_3);
        var twice = x.Through(branch7x7dbl_1).Through(branch7x7dbl_2).Through(branch7x7dbl_3).Through(branch7x7dbl_4)
            .Through(branch7x7dbl_5);
        var pooled = avg_pool2d(x, 3, 1, 1).Through(branch_pool);
        return cat([x.Through(branch1x1), once, twice, pooled], 1).MoveToOuterDisposeScope();
    }

    internal static BasicConv2d Across(int inputs, int outputs) => new(inputs, outputs, (1, 7), padding: (0, 3));

    internal static BasicConv2d Down(int inputs, int outputs) => new(inputs, outputs, (7, 1), padding: (3, 0));
}

/// <summary>Reduction from 17 × 17 to 8 × 8.</summary>
internal sealed class InceptionD : InceptionBranches
{
    private readonly BasicConv2d branch3x3_1, branch3x3_2, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4;

    public InceptionD(int inputs, int divisor, ChannelWidths widths)
        : base(nameof(InceptionD), divisor, widths)
    {
        int[] seven = [Of(nameof(branch7x7x3_1), 192), Of(nameof(branch7x7x3_2), 192), Of(nameof(branch7x7x3_3), 192)];
        var three = Of(nameof(branch3x3_1), 192);
        branch3x3_1 = new BasicConv2d(inputs, three, 1);
        branch3x3_2 = new BasicConv2d(three, End(nameof(branch3x3_2), 320), 3, stride: 2);
        branch7x7x3_1 = new BasicConv2d(inputs, seven[0], 1);
        branch7x7x3_2 = InceptionC.Across(seven[0], seven[1]);
        branch7x7x3_3 = InceptionC.Down(seven[1], seven[2]);
        branch7x7x3_4 = new BasicConv2d(seven[2], End(nameof(branch7x7x3_4), 192), 3, stride: 2);
        Outputs += inputs;   // the pooling branch
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var three = x.Through(branch3x3_1).Through(branch3x3_2);
        var seven = x.Through(branch7x7x3_1).Through(branch7x7x3_2).Through(branch7x7x3_3).Through(branch7x7x3_4);
        return cat([three, seven, max_pool2d(x, 3, 2)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Module for 8 × 8 maps: branches that split into 1 × 3 and 3 × 1 convolutions.</summary>
internal sealed class InceptionE : InceptionBranches
{
    private readonly BasicConv2d branch1x1, branch3x3_1, branch3x3_2a, branch3x3_2b;
    private readonly BasicConv2d branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3a, branch3x3dbl_3b, branch_pool;

    public InceptionE(int inputs, int divisor, ChannelWidths widths)
        : base(nameof(InceptionE), divisor, widths)
    {
        BasicConv2d Across(int from, string layer) => new(from, End(layer, 384), (1, 3), padding: (0, 1));
        BasicConv2d Down(int from, string layer) => new(from, End(layer, 384), (3, 1), padding: (1, 0));
        var once = Of(nameof(branch3x3_1), 384);
        var narrow = Of(nameof(branch3x3dbl_1), 448);
        var twice = Of(nameof(branch3x3dbl_2), 384);
        branch1x1 = new BasicConv2d(inputs, End(nameof(branch1x1), 320), 1);
        branch3x3_1 = new BasicConv2d(inputs, once, 1);
        branch3x3_2a = Across(once, nameof(branch3x3_2a));
        branch3x3_2b = Down(once, nameof(branch3x3_2b));
        branch3x3dbl_1 = new BasicConv2d(inputs, narrow, 1);
        branch3x3dbl_2 = new BasicConv2d(narrow, twice, 3, padding: 1);
        branch3x3dbl_3a = Across(twice, nameof(branch3x3dbl_3a));
        branch3x3dbl_3b = Down(twice, nameof(branch3x3dbl_3b));
        branch_pool = new BasicConv2d(inputs, End(nameof(branch_pool), 192), 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var once = x.Through(branch3x3_1);
        var twice = x.Through(branch3x3dbl_1).Through(branch3x3dbl_2);
        var pooled = avg_pool2d(x, 3, 1, 1).Through(branch_pool);
        return cat([x.Through(branch1x1), once.Through(branch3x3_2a), once.Through(branch3x3_2b),
            twice.Through(branch3x3dbl_3a), twice.Through(branch3x3dbl_3b), pooled], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Auxiliary head of Inception v3, on a 17 × 17 map.</summary>
internal sealed class InceptionV3AuxiliaryHead : Module<Tensor, Tensor>
{
    /// <summary>Smallest side of the head's input map.</summary>
    public const int SmallestMap = 17;

    private readonly BasicConv2d conv0, conv1;
    private readonly AdaptiveAvgPool2d pool = AdaptiveAvgPool2d(1);
    private readonly Dense fc;

    public InceptionV3AuxiliaryHead(int inputs, int divisor, int classes, ChannelWidths widths)
        : base(nameof(InceptionV3AuxiliaryHead))
    {
        var narrow = widths.Of(nameof(conv0), 128 / divisor);
        var wide = widths.Of(nameof(conv1), 768 / divisor);
        conv0 = new BasicConv2d(inputs, narrow, 1);
        conv1 = new BasicConv2d(narrow, wide, 5);
        fc = new Dense(wide, classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pooled = avg_pool2d(x, 5, 3).Through(conv0).Through(conv1).Through(pool);   // 17 × 17 → 5 × 5 → 1 × 1
        return pooled.flatten(1).Through(fc).MoveToOuterDisposeScope();
    }
}
