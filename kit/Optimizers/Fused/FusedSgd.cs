using ResearchKit.Tensors;
using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedSgd"/>; the defaults are PyTorch's.</summary>
public sealed record FusedSgdOptions : OptimizerSettings
{
    /// <summary>How much of the last step's direction a step keeps.</summary>
    public double Momentum { get; init; }

    /// <summary>Share of the gradient that does not enter the direction, after the first step.</summary>
    public double Dampening { get; init; }

    /// <summary>
    /// Whether the gradient is taken once more on top of the direction (Nesterov, 1983); needs momentum and no dampening.
    /// </summary>
    public bool Nesterov { get; init; }

    /// <summary>Whether a step goes up the gradient.</summary>
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
/// Stochastic gradient descent with momentum, in one fused operation a step; weight decay is added to the gradient.
/// </summary>
/// <remarks>The same numbers as <c>torch.optim.SGD</c>. State: <c>step</c> and, with momentum, <c>momentum_buffer</c>.</remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class FusedSgd(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedSgdOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), options is { Momentum: not 0 } ? ["momentum_buffer"] : [])
{
    private readonly FusedSgdOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => FusedSteps.Sgd(moving, options);
}
