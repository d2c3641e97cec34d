using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Layer norm over the last axis, (x - mean) / √(variance + ε) · weight + bias: a drop-in for <c>torch.nn.LayerNorm</c> with
/// hook points.
/// </summary>
/// <remarks>
/// Ba et al., 2016, https://arxiv.org/abs/1607.06450. libtorch's fused kernel computes it until one of its hook points has a
/// hook.
/// </remarks>
public sealed class LayerNormalization : Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias;           // [channels]
    private readonly HookPoint hook_scale = new();        // [..., 1], √(variance + ε)
    private readonly HookPoint hook_normalized = new();   // [..., channels], the output

    /// <param name="width">Channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNormalization(int width, double epsilon = 1e-5) : base(nameof(LayerNormalization))
    {
        Epsilon = epsilon;
        weight = Parameter(ones(width));
        bias = Parameter(zeros(width));
        RegisterComponents();
    }

    /// <summary>What is added to the variance.</summary>
    internal double Epsilon { get; }

    /// <summary>Normalises the last axis.</summary>
    /// <param name="x">[..., channels].</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = hook_scale.IsWatched || x.IsMeta() ? StepByStep(x)
            : functional.layer_norm(x, weight.shape, weight, bias, Epsilon);
        ActivationRules.LayerNorm(this, x, y);
        return hook_normalized.Pass(y).MoveToOuterDisposeScope();
    }

    /// <summary>The norm for steps of one row.</summary>
    internal StepNorm Step() => new(weight, bias, Epsilon);

    private Tensor StepByStep(Tensor x)
    {
        var centred = x - x.mean([-1], keepdim: true);
        var scale = hook_scale.Pass((centred.square().mean([-1], keepdim: true) + Epsilon).sqrt());
        return (centred / scale * weight) + bias;
    }
}
