using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Optimizer steps of libtorch that take all tensors at once, which TorchSharp does not bind.</summary>
/// <remarks>Reached through TorchScript, whose source here is fixed: a TorchScript compile error may end the process.</remarks>
internal static class FusedSteps
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def adamw(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, weight_decay: float, eps: float) -> None:
            torch._foreach_add_(steps, 1.0)
            torch._fused_adamw_(params, grads, means, squares, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)

        """));

    /// <summary>One AdamW step; all lists are of one length, all tensors of a place of one shape.</summary>
    public static void AdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] means, Tensor[] squares, Tensor[] steps,
        double learningRate, double beta1, double beta2, double weightDecay, double epsilon) =>
        Script.Value.Call("adamw", parameters, gradients, means, squares, steps, learningRate, beta1, beta2, weightDecay, epsilon);
}
