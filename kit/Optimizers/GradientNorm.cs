using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The norm of the gradient over many parameters together.</summary>
internal static class GradientNorm
{
    private static readonly TorchScript Script = new("GradientNorm.py");

    /// <summary>The norm of all tensors together, on the device of the first of them.</summary>
    /// <param name="gradients">One or more.</param>
    /// <param name="order">2 for the Euclidean norm, infinite for the largest number.</param>
    public static Tensor Of(Tensor[] gradients, double order = 2) => (Tensor)Script.Call("norm", gradients, order);

    /// <summary>The Euclidean norm over all parameters of a step, on the device of the first of them.</summary>
    public static Tensor Of(IReadOnlyList<ParameterBatch> all)
    {
        var norms = all.Select(moving => Of(moving.Gradients)).ToList();
        return norms is [var only] ? only : stack([.. norms.Select(norm => norm.to(norms[0].dtype).to(norms[0].device))]).norm();
    }

    /// <summary>Moves an optional factor to the device and dtype of a batch's gradients.</summary>
    public static Tensor[] Beside(ParameterBatch moving, Tensor[] factor) =>
        Array.ConvertAll(factor, one => one.to(moving.Gradients[0].device).to(moving.Gradients[0].dtype));
}
