using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The length of the gradient over all parameters of a step.</summary>
internal static class GradientNorm
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def norm(grads: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)), 2)

        """));

    /// <summary>On the device of the first of them.</summary>
    public static Tensor Of(IReadOnlyList<ParameterBatch> all)
    {
        var norms = all.Select(moving => (Tensor)Script.Value.Call("norm", (object)moving.Gradients)).ToList();
        return norms is [var only] ? only : stack([.. norms.Select(norm => norm.to(norms[0].dtype).to(norms[0].device))]).norm();
    }

    /// <summary>A factor, if there is one, on the device of these.</summary>
    public static Tensor[] Beside(ParameterBatch moving, Tensor[] factor) => Array.ConvertAll(factor, one => one.to(moving.Gradients[0].device).to(moving.Gradients[0].dtype));
}
