using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="SophiaG"/>; the defaults are the reference's.</summary>
public sealed record SophiaGOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: a rate of 0.0001, a decay of 0.1.</summary>
    public SophiaGOptions()
    {
        LearningRate = 1e-4;
        WeightDecay = 0.1;
    }

    /// <summary>Decay rate of the mean gradient: the share that a step keeps.</summary>
    public double Beta1 { get; init; } = 0.965;

    /// <summary>Decay rate of the curvature estimate: the share that an update of it keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Scale of the curvature (ρ). The larger it is, the fewer elements of a step are clipped.</summary>
    public double Rho { get; init; } = 0.04;

    /// <summary>
    /// Number of tokens or examples in the batch for the curvature. Squared mean gradients are multiplied by it.
    /// </summary>
    public double BatchSize { get; init; } = 5120;

    /// <summary>Whether to maximize the loss instead of minimizing it.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new SophiaG(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Fraction(Beta1);
        Require.Fraction(Beta2);
        Require.NotNegative(Rho);
        Require.Positive(BatchSize);
    }
}

/// <summary>
/// Sophia-G: divides the mean gradient by an estimate of the curvature, and clips the step at the learning
/// rate.
/// </summary>
/// <remarks>
/// Liu et al., 2023, https://arxiv.org/abs/2305.14342, with the Gauss-Newton-Bartlett estimate. About every
/// tenth step, sample labels from the model's own output, compute the gradients of the loss on them, and call
/// <see cref="UpdateHessian"/>. Until the first call, every step has the size of the learning rate. State:
/// <c>step</c>, <c>exp_avg</c>, <c>hessian</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class SophiaG(IEnumerable<(string Name, Parameter Parameter)> parameters, SophiaGOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg", "hessian")
{
    private static readonly TorchScript Script = new("SophiaG.py");

    private readonly SophiaGOptions options = options ?? new();

    /// <summary>
    /// Updates the curvature estimate with the squares of the current gradients; the parameters do not change.
    /// </summary>
    public void UpdateHessian()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var moving in Moving(countsStep: false))
            Script.Call("curvature", moving.Gradients, moving.State("hessian"), options.Beta2);
    }

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) =>
        Script.Call("sophia", moving.Parameters, moving.Gradients, moving.State("exp_avg"),
        moving.State("hessian"), moving.LearningRate, options.Beta1, options.Rho * options.BatchSize,
            moving.WeightDecay, options.Maximize);
}
