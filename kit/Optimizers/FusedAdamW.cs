using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Adam with weight decay that does not go through the moments, in one fused operation a step.</summary>
/// <remarks>
/// Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101. The same numbers as <c>torch.optim.AdamW</c>, whose fused kernel
/// this is. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c> and, with AMSGrad, <c>max_exp_avg_sq</c>.
/// </remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class FusedAdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedAdamWOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), FusedSteps.AdamState(options))
{
    private readonly FusedAdamWOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(MovingParameters moving) => FusedSteps.Adam("adamw", moving, options);
}
