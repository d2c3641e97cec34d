using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>All gradients of a step together, in few native calls.</summary>
internal static class Gradients
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def norm(gradients: List[Tensor]) -> Tensor:
            return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients, 2.0)).float())

        def scale(gradients: List[Tensor], factor: float) -> None:
            torch._foreach_mul_(gradients, factor)

        """));

    /// <summary>The gradients that there are; in the scope at hand.</summary>
    public static Tensor[] Of(IEnumerable<Tensor> parameters) => [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];

    /// <summary>Euclidean norm of all of them.</summary>
    public static double Norm(Tensor[] gradients)
    {
        if (gradients.Length == 0) return 0;
        using var norm = (Tensor)Script.Value.Call("norm", [gradients]);
        return norm.item<float>();
    }

    /// <summary>Multiplies all of them.</summary>
    public static void Scale(Tensor[] gradients, double factor)
    {
        if (gradients.Length > 0 && factor != 1) Script.Value.Call("scale", gradients, factor);
    }
}
