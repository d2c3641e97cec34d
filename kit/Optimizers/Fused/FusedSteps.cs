using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Optimizer steps of libtorch that take all tensors at once, which TorchSharp does not bind.</summary>
/// <remarks>Reached through TorchScript, whose source here is fixed: a TorchScript compile error may end the process.</remarks>
internal static class FusedSteps
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def adam(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], largest: List[Tensor], step: float, lr: float, beta1: float, beta2: float, weight_decay: float, eps: float, amsgrad: bool, maximize: bool) -> None:
            steps = [torch.full([], step, dtype=6, device=params[0].device)] * len(params)
            torch._fused_adam_(params, grads, means, squares, largest, steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=amsgrad, maximize=maximize)

        def adamw(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], largest: List[Tensor], step: float, lr: float, beta1: float, beta2: float, weight_decay: float, eps: float, amsgrad: bool, maximize: bool) -> None:
            steps = [torch.full([], step, dtype=6, device=params[0].device)] * len(params)
            torch._fused_adamw_(params, grads, means, squares, largest, steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=amsgrad, maximize=maximize)

        def sgd(params: List[Tensor], grads: List[Tensor], buffers: List[Tensor], lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool, first: bool) -> None:
            torch._fused_sgd_(params, grads, buffers, weight_decay=weight_decay, momentum=momentum, lr=lr, dampening=dampening, nesterov=nesterov, maximize=maximize, is_first_step=first)

        """));

    /// <summary>What Adam remembers.</summary>
    public static string[] AdamState(FusedAdamOptions? options) =>
        options?.AmsGrad is true ? ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] : ["exp_avg", "exp_avg_sq"];

    /// <summary>One step of the fused function <c>adam</c> or <c>adamw</c>.</summary>
    public static void Adam(string function, ParameterBatch moving, FusedAdamOptions options)
    {
        using var threads = Threads(moving);
        Script.Value.Call(function, moving.Parameters, Gradients(moving), moving.State("exp_avg"), moving.State("exp_avg_sq"),
            options.AmsGrad ? moving.State("max_exp_avg_sq") : [], (double)moving.Step, moving.LearningRate, options.Beta1, options.Beta2,
            moving.WeightDecay, options.Epsilon, options.AmsGrad, options.Maximize);
    }

    /// <summary>One step down the gradient.</summary>
    public static void Sgd(ParameterBatch moving, FusedSgdOptions options)
    {
        using var threads = Threads(moving);
        Script.Value.Call("sgd", moving.Parameters, Gradients(moving), options.Momentum == 0 ? [] : moving.State("momentum_buffer"),
            moving.LearningRate, options.Momentum, options.Dampening, moving.WeightDecay, options.Nesterov, options.Maximize, moving.Step == 1);
    }

    /// <summary>The kernels take all tensors of a place to be laid out alike, as gradients of <c>backward</c> are; others are brought into that order.</summary>
    private static Tensor[] Gradients(ParameterBatch moving)
    {
        var gradients = moving.Gradients;
        for (var i = 0; i < gradients.Length; i++)
        {
            var (parameter, gradient) = (moving.Parameters[i], gradients[i]);
            if (parameter.is_contiguous() && gradient.is_contiguous()) continue;
            if (!parameter.stride().SequenceEqual(gradient.stride())) gradients[i] = empty_like(parameter, requires_grad: false).copy_(gradient);
        }
        return gradients;
    }

    /// <summary>The kernels would start all threads for each tensor, which takes longer than the work on a small one.</summary>
    private static OpenMp.Threads Threads(ParameterBatch moving) => moving.AreSmall ? OpenMp.One() : default;
}
