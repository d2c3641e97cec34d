using ResearchKit.Tensors;
using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedSgd"/>; the defaults are PyTorch's.</summary>
public sealed record FusedSgdOptions : OptimizerSettings
{
    /// <summary>Momentum: the share of the last step's direction that a step keeps.</summary>
    public double Momentum { get; init; }

    /// <summary>
    /// Dampening: the share of the gradient that is left out of the direction, from the second step on.
    /// </summary>
    public double Dampening { get; init; }

    /// <summary>
    /// Whether to use Nesterov momentum (Nesterov, 1983): the gradient is added to the direction once more. Needs
    /// momentum and no dampening.
    /// </summary>
    public bool Nesterov { get; init; }

    /// <summary>Whether to maximize the loss instead of minimizing it.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new FusedSgd(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.NotNegative(Momentum);
        Require.That(double.IsFinite(Dampening), Dampening, nameof(Dampening), "a number");
        if (Nesterov && (Momentum == 0 || Dampening != 0))
            throw new ArgumentException(FormattableString.Invariant(
                $"Nesterov needs a Momentum above 0 and a Dampening of 0; they are {Momentum} and {Dampening}."));
    }
}

/// <summary>
/// Stochastic gradient descent with momentum, with one fused operation a step; weight decay is added to the
/// gradient.
/// </summary>
/// <remarks>
/// It computes the same numbers as <c>torch.optim.SGD</c>. State: <c>step</c> and, with momentum,
/// <c>momentum_buffer</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class FusedSgd(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedSgdOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), options is { Momentum: not 0 } ? ["momentum_buffer"] : [])
{
    private readonly FusedSgdOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => FusedSteps.Sgd(moving, options);
}
