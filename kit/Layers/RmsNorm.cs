using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// RMS norm over the last axis: x / √(mean(x²) + ε) · weight. It subtracts no mean and adds no bias.
/// </summary>
/// <remarks>
/// Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467. The normalisation is computed in float32 for any
/// input dtype.
/// </remarks>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;   // [channels]
    private readonly double epsilon;

    /// <param name="width">Channels.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public RmsNorm(int width, double epsilon = 1e-6) : base(nameof(RmsNorm))
    {
        this.epsilon = epsilon;
        weight = Parameter(ones(width));
        RegisterComponents();
    }

    /// <summary>Divides the last axis by its root mean square, without a weight.</summary>
    /// <param name="x">[..., channels].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    internal static Tensor Unweighted(Tensor x, double epsilon = 1e-6)
    {
        using var scope = NewDisposeScope();
        var y = x * (x.square().mean([-1], keepdim: true) + epsilon).rsqrt();
        ActivationTape.Current?.Note(x, y, [x], x.numel() / x.shape[^1] * 4);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>Normalises the last axis.</summary>
    /// <param name="x">[..., channels].</param>
    /// <returns>The same shape; the dtype is that of <paramref name="x"/>, or of the weight if that is
    /// wider.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var wide = x.to(float32);
        var normal = wide * (wide.square().mean([-1], keepdim: true) + epsilon).rsqrt();
        var y = normal.to(x.dtype) * weight;
        ActivationTape.Current?.Note(x, y, [x], (normal.numel() + (normal.numel() / weight.numel())) * 4, weight);
        return y.MoveToOuterDisposeScope();
    }
}
