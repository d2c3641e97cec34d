using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Adam whose update of each tensor is as long as the tensor, times the learning rate; for large batches.</summary>
/// <remarks>You et al., 2020, https://arxiv.org/abs/1904.00962. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c>.</remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class Lamb(IEnumerable<(string Name, Parameter Parameter)> parameters, LambOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg", "exp_avg_sq")
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def lamb(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], clip: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, correction1: float, correction2: float, gradient_share: float, coupled_decay: float, decoupled_decay: float, adapts: bool, most_weight: float, most_trust: float, cautious: bool) -> None:
            if len(clip) > 0:
                grads = torch._foreach_div(grads, clip[0])
            torch._foreach_mul_(means, beta1)
            torch._foreach_add_(means, grads, alpha=gradient_share)
            torch._foreach_mul_(squares, beta2)
            torch._foreach_addcmul_(squares, grads, grads, value=1.0 - beta2)

            denominators = torch._foreach_sqrt(squares)
            torch._foreach_div_(denominators, correction2 ** 0.5)
            torch._foreach_add_(denominators, eps)
            updates = torch._foreach_div(means, correction1)
            torch._foreach_div_(updates, denominators)
            if cautious:
                for i in range(len(updates)):
                    agrees = (updates[i] * grads[i] > 0).to(updates[i].dtype)
                    updates[i].mul_(agrees / agrees.mean().clamp_min(1e-3))
            if decoupled_decay != 0.0:
                torch._foreach_mul_(params, 1.0 - decoupled_decay)
            if coupled_decay != 0.0:
                torch._foreach_add_(updates, params, alpha=coupled_decay)
            if adapts:
                weight = torch.stack(torch._foreach_norm(params, 2)).clamp_max(most_weight)
                update = torch.stack(torch._foreach_norm(updates, 2))
                ratio = torch.where((weight > 0) & (update > 0), weight / update, torch.ones_like(weight)).clamp_max(most_trust)
                torch._foreach_mul_(updates, ratio.unbind())
            torch._foreach_add_(params, updates, alpha=-lr)

        """));

    private readonly LambOptions options = options ?? new();
    private Tensor[] clip = [];

    /// <inheritdoc/>
    protected override void Move(IReadOnlyList<MovingParameters> all)
    {
        clip = options.MaximumGradientNorm is { } longest ? [(GradientNorm.Of(all) / longest).clamp_min(1)] : [];
        base.Move(all);
        clip = [];
    }

    /// <inheritdoc/>
    protected override void Move(MovingParameters moving)
    {
        var (correction1, correction2) = (1 - Math.Pow(options.Beta1, moving.Step), 1 - Math.Pow(options.Beta2, moving.Step));
        var (rate, decay) = (moving.LearningRate, moving.WeightDecay);
        var decayRate = options.CorrectedDecay ? rate * rate / options.LearningRate : rate;
        if (options.BiasCorrection == LambBiasCorrection.LearningRate) rate *= Math.Sqrt(correction2) / correction1;
        if (options.BiasCorrection != LambBiasCorrection.Moments) (correction1, correction2) = (1, 1);
        Script.Value.Call("lamb", moving.Parameters, moving.Gradients, moving.State("exp_avg"), moving.State("exp_avg_sq"), GradientNorm.Beside(moving, clip),
            rate, options.Beta1, options.Beta2, options.Epsilon, correction1, correction2, options.AverageGradient ? 1 - options.Beta1 : 1.0,
            options.DecoupledDecay ? 0.0 : decay, options.DecoupledDecay ? decayRate * decay : 0.0, decay != 0 || options.AlwaysAdapt,
            options.MaximumWeightNorm ?? double.PositiveInfinity, options.ClipTrust ? 1 : double.PositiveInfinity, options.Cautious);
    }
}
