using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdamW"/>; the defaults are PyTorch's.</summary>
public sealed record FusedAdamWOptions : FusedAdamOptions
{
    /// <summary>PyTorch's defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public FusedAdamWOptions() => WeightDecay = 0.01;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new FusedAdamW(parameters, this);
}

/// <summary>AdamW, which is Adam with decoupled weight decay, with one fused operation a step.</summary>
/// <remarks>
/// Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101. It uses the fused kernel of
/// <c>torch.optim.AdamW</c> and computes the same numbers. State: <c>step</c>, <c>exp_avg</c>,
/// <c>exp_avg_sq</c> and, with AMSGrad, <c>max_exp_avg_sq</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class FusedAdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedAdamWOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), FusedSteps.AdamState(options))
{
    private readonly FusedAdamWOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => FusedSteps.Adam("adamw", moving, options);
}
