using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace ResearchKit.Models;

/// <summary>Module for 35 × 35 maps with parallel branches: 1 × 1, 5 × 5, two 3 × 3, and pooling.</summary>
/// <remarks>
/// Szegedy et al., 2015, figure 5, https://arxiv.org/abs/1512.00567; names are torchvision's, as in all modules here.
/// </remarks>
internal sealed class InceptionA : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch1x1, branch5x5_1, branch5x5_2, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3, branch_pool;

    public InceptionA(int inputs, int pool, int divisor) : base(nameof(InceptionA))
    {
        int Of(int channels) => channels / divisor;
        branch1x1 = new BasicConv2d(inputs, Of(64), 1);
        branch5x5_1 = new BasicConv2d(inputs, Of(48), 1);
        branch5x5_2 = new BasicConv2d(Of(48), Of(64), 5, padding: 2);
        branch3x3dbl_1 = new BasicConv2d(inputs, Of(64), 1);
        branch3x3dbl_2 = new BasicConv2d(Of(64), Of(96), 3, padding: 1);
        branch3x3dbl_3 = new BasicConv2d(Of(96), Of(96), 3, padding: 1);
        branch_pool = new BasicConv2d(inputs, pool, 1);
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
internal sealed class InceptionB : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch3x3, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3;

    public InceptionB(int inputs, int divisor) : base(nameof(InceptionB))
    {
        int Of(int channels) => channels / divisor;
        branch3x3 = new BasicConv2d(inputs, Of(384), 3, stride: 2);
        branch3x3dbl_1 = new BasicConv2d(inputs, Of(64), 1);
        branch3x3dbl_2 = new BasicConv2d(Of(64), Of(96), 3, padding: 1);
        branch3x3dbl_3 = new BasicConv2d(Of(96), Of(96), 3, stride: 2);
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
internal sealed class InceptionC : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch1x1, branch7x7_1, branch7x7_2, branch7x7_3;
    private readonly BasicConv2d branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5, branch_pool;

    public InceptionC(int inputs, int narrow, int divisor) : base(nameof(InceptionC))
    {
        var outputs = 192 / divisor;
        branch1x1 = new BasicConv2d(inputs, outputs, 1);
        branch7x7_1 = new BasicConv2d(inputs, narrow, 1);
        branch7x7_2 = Across(narrow, narrow);
        branch7x7_3 = Down(narrow, outputs);
        branch7x7dbl_1 = new BasicConv2d(inputs, narrow, 1);
        branch7x7dbl_2 = Down(narrow, narrow);
        branch7x7dbl_3 = Across(narrow, narrow);
        branch7x7dbl_4 = Down(narrow, narrow);
        branch7x7dbl_5 = Across(narrow, outputs);
        branch_pool = new BasicConv2d(inputs, outputs, 1);
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
internal sealed class InceptionD : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch3x3_1, branch3x3_2, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4;

    public InceptionD(int inputs, int divisor) : base(nameof(InceptionD))
    {
        var narrow = 192 / divisor;
        branch3x3_1 = new BasicConv2d(inputs, narrow, 1);
        branch3x3_2 = new BasicConv2d(narrow, 320 / divisor, 3, stride: 2);
        branch7x7x3_1 = new BasicConv2d(inputs, narrow, 1);
        branch7x7x3_2 = InceptionC.Across(narrow, narrow);
        branch7x7x3_3 = InceptionC.Down(narrow, narrow);
        branch7x7x3_4 = new BasicConv2d(narrow, narrow, 3, stride: 2);
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
internal sealed class InceptionE : Module<Tensor, Tensor>
{
    private readonly BasicConv2d branch1x1, branch3x3_1, branch3x3_2a, branch3x3_2b;
    private readonly BasicConv2d branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3a, branch3x3dbl_3b, branch_pool;

    public InceptionE(int inputs, int divisor) : base(nameof(InceptionE))
    {
        int Of(int channels) => channels / divisor;
        BasicConv2d Across() => new(Of(384), Of(384), (1, 3), padding: (0, 1));
        BasicConv2d Down() => new(Of(384), Of(384), (3, 1), padding: (1, 0));
        branch1x1 = new BasicConv2d(inputs, Of(320), 1);
        branch3x3_1 = new BasicConv2d(inputs, Of(384), 1);
        branch3x3_2a = Across();
        branch3x3_2b = Down();
        branch3x3dbl_1 = new BasicConv2d(inputs, Of(448), 1);
        branch3x3dbl_2 = new BasicConv2d(Of(448), Of(384), 3, padding: 1);
        branch3x3dbl_3a = Across();
        branch3x3dbl_3b = Down();
        branch_pool = new BasicConv2d(inputs, Of(192), 1);
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

    public InceptionV3AuxiliaryHead(int inputs, int divisor, int classes) : base(nameof(InceptionV3AuxiliaryHead))
    {
        conv0 = new BasicConv2d(inputs, 128 / divisor, 1);
        conv1 = new BasicConv2d(128 / divisor, 768 / divisor, 5);
        fc = new Dense(768 / divisor, classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pooled = avg_pool2d(x, 5, 3).Through(conv0).Through(conv1).Through(pool);   // 17 × 17 → 5 × 5 → 1 × 1
        return pooled.flatten(1).Through(fc).MoveToOuterDisposeScope();
    }
}
