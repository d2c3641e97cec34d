using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdam"/>; the defaults are PyTorch's.</summary>
public record FusedAdamOptions : AdamOptions
{
    /// <summary>
    /// Whether the denominator uses the largest mean squared gradient so far (AMSGrad; Reddi et al., 2018,
    /// https://arxiv.org/abs/1904.09237).
    /// </summary>
    public bool AmsGrad { get; init; }

    /// <summary>Whether to maximize the loss instead of minimizing it.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new FusedAdam(parameters, this);
}

/// <summary>Adam with one fused operation a step; weight decay is added to the gradient.</summary>
/// <remarks>
/// Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980. It computes the same numbers as
/// <c>torch.optim.Adam</c>. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c> and, with AMSGrad,
/// <c>max_exp_avg_sq</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class FusedAdam(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedAdamOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), FusedSteps.AdamState(options))
{
    private readonly FusedAdamOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => FusedSteps.Adam("adam", moving, options);
}
