using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="ScheduleFreeSgd"/>; the defaults are the reference's.</summary>
public sealed record ScheduleFreeSgdOptions : ScheduleFreeOptions
{
    /// <summary>The reference's default: a rate of 1.</summary>
    public ScheduleFreeSgdOptions() => LearningRate = 1;

    /// <summary>Where gradients are computed, between the last iterate (0) and the average (1).</summary>
    public double Momentum { get; init; } = 0.9;

    internal override double Interpolation => Momentum;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new ScheduleFreeSgd(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.That(Momentum is > 0 and < 1, Momentum, nameof(Momentum), "above 0 and below 1");
    }
}

/// <summary>
/// Schedule-free SGD; see <see cref="ScheduleFreeOptimizer"/>. Weight decay is added to the gradient.
/// </summary>
/// <remarks>
/// Defazio et al., 2024, https://arxiv.org/abs/2405.15682. State: <c>step</c>, <c>z</c>, and for all parameters
/// together <c>k</c>, <c>weight_sum</c>, <c>lr_max</c>, <c>train_mode</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class ScheduleFreeSgd(IEnumerable<(string Name, Parameter Parameter)> parameters,
    ScheduleFreeSgdOptions? options = null)
    : ScheduleFreeOptimizer(parameters, options ?? new())
{
    private static readonly TorchScript Script = new("ScheduleFreeSgd.py");

    private protected override Tensor[] Directions(ParameterBatch moving, double step) =>
        moving.WeightDecay == 0 ? moving.Gradients
        : (Tensor[])Script.Call("directions", moving.Parameters, moving.Gradients, moving.WeightDecay);
}
