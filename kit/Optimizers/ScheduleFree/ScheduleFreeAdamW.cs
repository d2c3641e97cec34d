using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="ScheduleFreeAdamW"/>; the defaults are the reference's.</summary>
public sealed record ScheduleFreeAdamWOptions : ScheduleFreeOptions
{
    /// <summary>The reference's default: a rate of 0.0025.</summary>
    public ScheduleFreeAdamWOptions() => LearningRate = 0.0025;

    /// <summary>How near the average gradients are taken: 0 at the last iterate, 1 at the average.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the denominator from zero.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>How much of a mean gradient a step keeps besides; 0 for none.</summary>
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

/// <summary>AdamW without a schedule; see <see cref="ScheduleFreeOptimizer"/>. Weights decay at y.</summary>
/// <remarks>
/// Defazio et al., 2024, https://arxiv.org/abs/2405.15682. State: <c>step</c>, <c>exp_avg_sq</c>, <c>z</c>, with inner momentum
/// <c>exp_avg</c>, and over all parameters <c>k</c>, <c>weight_sum</c>, <c>lr_max</c>, <c>train_mode</c>.
/// </remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
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
