using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// RMS norm over the last axis: x / √(mean(x²) + ε) · weight. It subtracts no mean and adds no bias.
/// </summary>
/// <remarks>
/// Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467. The normalisation is computed in float32, or in
/// float64 if the input is float64.
/// </remarks>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;                   // [channels]
    private readonly HookPoint hook_scale = new();        // [..., 1], √(mean(x²) + ε)
    private readonly HookPoint hook_normalized = new();   // [..., channels], the output
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
        var wide = x.dtype == ScalarType.Float64 ? x : x.to(float32);
        var variance = wide.square().mean([-1], keepdim: true) + epsilon;
        var normal = hook_scale.IsWatched ? wide / hook_scale.Pass(variance.sqrt()) : wide * variance.rsqrt();
        var y = normal.to(x.dtype) * weight;
        ActivationTape.Current?.Note(x, y, [x], (normal.numel() + (normal.numel() / weight.numel())) * 4, weight);
        return hook_normalized.Pass(y).MoveToOuterDisposeScope();
    }

    /// <summary>The norm for steps of one row.</summary>
    internal StepNorm Step() => new(weight, null, epsilon);
}
