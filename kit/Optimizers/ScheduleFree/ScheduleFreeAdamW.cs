using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="ScheduleFreeAdamW"/>; the defaults are the reference's.</summary>
public sealed record ScheduleFreeAdamWOptions : ScheduleFreeOptions
{
    /// <summary>The reference's default: a rate of 0.0025.</summary>
    public ScheduleFreeAdamWOptions() => LearningRate = 0.0025;

    /// <summary>Where gradients are computed, between the last iterate (0) and the average (1).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the mean squared gradient: the share that a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decay rate of an additional mean gradient: the share that a step keeps; 0 for none.</summary>
    public double InnerMomentum { get; init; }

    internal override double Interpolation => Beta1;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new ScheduleFreeAdamW(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.That(Beta1 is > 0 and < 1, Beta1, nameof(Beta1), "above 0 and below 1");
        Require.Fraction(Beta2);
        Require.NotNegative(Epsilon);
        Require.Fraction(InnerMomentum);
    }
}

/// <summary>
/// Schedule-free AdamW; see <see cref="ScheduleFreeOptimizer"/>. Weight decay is computed from the weights y.
/// </summary>
/// <remarks>
/// Defazio et al., 2024, https://arxiv.org/abs/2405.15682. State: <c>step</c>, <c>exp_avg_sq</c>, <c>z</c>,
/// with inner momentum <c>exp_avg</c>, and for all parameters together <c>k</c>, <c>weight_sum</c>,
/// <c>lr_max</c>, <c>train_mode</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class ScheduleFreeAdamW(IEnumerable<(string Name, Parameter Parameter)> parameters,
    ScheduleFreeAdamWOptions? options = null)
    : ScheduleFreeOptimizer(parameters, options ?? new(),
        options is { InnerMomentum: not 0 } ? ["exp_avg_sq", "exp_avg"] : ["exp_avg_sq"])
{
    private static readonly TorchScript Script = new("ScheduleFreeAdamW.py");

    private readonly ScheduleFreeAdamWOptions options = options ?? new();

    private protected override Tensor[] Directions(ParameterBatch moving, double step) =>
        (Tensor[])Script.Call("directions", moving.Parameters,
        moving.Gradients, moving.State("exp_avg_sq"), options.InnerMomentum == 0 ? []
            : moving.State("exp_avg"), step, options.Beta2, options.Epsilon,
        options.InnerMomentum, moving.WeightDecay);
}
