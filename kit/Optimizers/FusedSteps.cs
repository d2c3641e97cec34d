using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Optimizer steps of libtorch that take all tensors at once, which TorchSharp does not bind.</summary>
/// <remarks>Reached through TorchScript, whose source here is fixed: a TorchScript compile error may end the process.</remarks>
internal static class FusedSteps
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def adamw(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], largest: List[Tensor], step: float, lr: float, beta1: float, beta2: float, weight_decay: float, eps: float, amsgrad: bool, maximize: bool) -> None:
            steps = [torch.full([], step, dtype=6, device=params[0].device)] * len(params)
            torch._fused_adamw_(params, grads, means, squares, largest, steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=amsgrad, maximize=maximize)

        """));

    /// <summary>What Adam remembers.</summary>
    public static string[] AdamState(bool amsGrad) => amsGrad ? ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] : ["exp_avg", "exp_avg_sq"];

    /// <summary>One step of the fused function <c>adamw</c> or <c>adam</c>.</summary>
    public static void Adam(string function, MovingParameters moving, double beta1, double beta2, double epsilon, bool amsGrad, bool maximize) =>
        Script.Value.Call(function, moving.Parameters, moving.Gradients, moving.State("exp_avg"), moving.State("exp_avg_sq"),
            amsGrad ? moving.State("max_exp_avg_sq") : [], (double)moving.Step, moving.LearningRate, beta1, beta2, moving.WeightDecay, epsilon, amsGrad, maximize);
}
