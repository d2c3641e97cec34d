using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Adan"/>; the defaults are the reference's.</summary>
public sealed record AdanOptions : OptimizerSettings
{
    /// <summary>Decay rate of the mean gradient: the share that a step keeps.</summary>
    public double Beta1 { get; init; } = 0.98;

    /// <summary>Decay rate of the mean difference of successive gradients: the share that a step keeps.</summary>
    public double Beta2 { get; init; } = 0.92;

    /// <summary>Decay rate of the mean square of the look-ahead gradient: the share that a step keeps.</summary>
    public double Beta3 { get; init; } = 0.99;

    /// <summary>Added to the denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>
    /// Largest norm of the gradients of all parameters together; larger ones are clipped. Null for no clipping.
    /// </summary>
    public double? MaximumGradientNorm { get; init; }

    /// <summary>
    /// Whether weight decay divides the parameters after the update, as in the paper; otherwise it multiplies them
    /// before, as in AdamW.
    /// </summary>
    public bool ProximalDecay { get; init; } = true;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Adan(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Fraction(Beta1);
        Require.Fraction(Beta2);
        Require.Fraction(Beta3);
        Require.NotNegative(Epsilon);
        if (MaximumGradientNorm is { } norm) Require.Positive(norm, nameof(MaximumGradientNorm));
    }
}

/// <summary>Adan: Adam with Nesterov momentum, estimated from the difference of successive gradients.</summary>
/// <remarks>
/// Xie et al., 2022, https://arxiv.org/abs/2208.06677. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_diff</c>,
/// <c>exp_avg_sq</c>, <c>neg_pre_grad</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class Adan(IEnumerable<(string Name, Parameter Parameter)> parameters, AdanOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg", "exp_avg_diff", "exp_avg_sq", "neg_pre_grad")
{
    private static readonly TorchScript Script = new("Adan.py");

    private readonly AdanOptions options = options ?? new();
    private Tensor[] clip = [];

    /// <inheritdoc/>
    protected override void Move(IReadOnlyList<ParameterBatch> all)
    {
        clip = options.MaximumGradientNorm is { } longest ? [(longest / (GradientNorm.Of(all) + options.Epsilon)).clamp_max(1)]
            : [];
        base.Move(all);
        clip = [];
    }

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) =>
        Script.Call("adan", moving.Parameters, moving.Gradients, moving.State("exp_avg"),
        moving.State("exp_avg_diff"), moving.State("exp_avg_sq"), moving.State("neg_pre_grad"), GradientNorm.Beside(moving, clip),
        (double)moving.Step, moving.LearningRate,
        options.Beta1, options.Beta2, options.Beta3, moving.WeightDecay, options.Epsilon, options.ProximalDecay);
}
