using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>x / √(mean(x²) + ε) · weight, over the last axis: no mean is subtracted, nothing is added.</summary>
/// <remarks>Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467. Computed in float32 whatever comes in.</remarks>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;   // [channels]
    private readonly double epsilon;

    /// <param name="width">Channels.</param>
    /// <param name="epsilon">Keeps the root from zero.</param>
    public RmsNorm(int width, double epsilon = 1e-6) : base(nameof(RmsNorm))
    {
        this.epsilon = epsilon;
        weight = Parameter(ones(width));
        RegisterComponents();
    }

    /// <param name="x">[..., channels].</param>
    /// <returns>The same shape and dtype.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(float32);
        var normal = wide * (wide.square().mean([-1], keepdim: true) + epsilon).rsqrt();
        return (normal.to(x.dtype) * weight).MoveToOuterDisposeScope();
    }
}
