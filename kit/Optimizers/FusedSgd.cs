using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Stochastic gradient descent with momentum, in one fused operation a step; weight decay is added to the gradient.</summary>
/// <remarks>The same numbers as <c>torch.optim.SGD</c>. State: <c>step</c> and, with momentum, <c>momentum_buffer</c>.</remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class FusedSgd(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedSgdOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), options is { Momentum: not 0 } ? ["momentum_buffer"] : [])
{
    private readonly FusedSgdOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(MovingParameters moving) => FusedSteps.Sgd(moving, options);
}
