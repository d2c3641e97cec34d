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

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.965;

    /// <summary>How much of the curvature an update of it keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>How large a ratio of gradient to curvature is before it is clipped: the larger, the fewer are.</summary>
    public double Rho { get; init; } = 0.04;

    /// <summary>
    /// Tokens or examples in the batch that the curvature is taken on, by which squared mean gradients are too small.
    /// </summary>
    public double BatchSize { get; init; } = 5120;

    /// <summary>Whether a step goes up the gradient.</summary>
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

/// <summary>Divides the mean gradient by an estimate of the curvature, and clips what comes out at the learning rate.</summary>
/// <remarks>
/// Liu et al., 2023, https://arxiv.org/abs/2305.14342, with the Gauss-Newton-Bartlett estimate. Every tenth step or so, put the
/// gradient of the loss on labels that are drawn from the model's own output into the parameters, and call
/// <see cref="UpdateHessian"/>. Until the first call every step has the size of the learning rate. State: <c>step</c>,
/// <c>exp_avg</c>, <c>hessian</c>.
/// </remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class SophiaG(IEnumerable<(string Name, Parameter Parameter)> parameters, SophiaGOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg", "hessian")
{
    private static readonly TorchScript Script = new("SophiaG.py");

    private readonly SophiaGOptions options = options ?? new();

    /// <summary>Takes the squares of the gradients that the parameters hold now into the curvature; moves nothing.</summary>
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
