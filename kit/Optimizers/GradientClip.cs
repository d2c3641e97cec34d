using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Gradient clipping, for all tensors at once.</summary>
public static class GradientClip
{
    private static readonly TorchScript Script = new("GradientClip.py");

    /// <summary>
    /// Clips the norm of the gradients of all parameters together, and returns the norm before clipping.
    /// </summary>
    /// <remarks>Pascanu et al., 2013, https://arxiv.org/abs/1211.5063; torch's <c>clip_grad_norm_</c>.</remarks>
    /// <param name="parameters">Parameters whose gradients are clipped; those without a gradient are
    /// ignored.</param>
    /// <param name="maximum">Largest norm; infinite to measure the norm only.</param>
    /// <param name="order">Order of the norm: 2 for the Euclidean norm, infinite for the largest magnitude.</param>
    /// <returns>The norm before clipping; 0 if there is no gradient.</returns>
    /// <exception cref="ArgumentException">The maximum or the order is not above 0.</exception>
    public static double ByNorm(IEnumerable<Parameter> parameters, double maximum, double order = 2)
    {
        Require.That(maximum > 0, maximum, nameof(maximum), "above 0");
        Require.That(order > 0, order, nameof(order), "above 0");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var gradients = Gradients(parameters);
        var total = Norm(gradients, order);
        var factor = maximum / (total + Epsilon);
        if (factor < 1 || double.IsNaN(factor)) Scale(gradients, factor);
        return total;
    }

    /// <summary>Clips every element of the gradients to [-maximum, maximum].</summary>
    /// <param name="parameters">Parameters whose gradients are clipped; those without a gradient are
    /// ignored.</param>
    /// <param name="maximum">Largest magnitude of an element.</param>
    /// <exception cref="ArgumentException">The maximum is not above 0.</exception>
    public static void ByValue(IEnumerable<Parameter> parameters, double maximum)
    {
        Require.That(maximum > 0, maximum, nameof(maximum), "above 0");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var gradients = Gradients(parameters);
        if (gradients.Length > 0) Script.Call("by_value", gradients, maximum);
    }

    /// <summary>Added to the norm in the denominator, as in PyTorch.</summary>
    internal const double Epsilon = 1e-6;

    /// <summary>Computes the norm of all gradients together; 0 if there is none.</summary>
    internal static double Norm(Tensor[] gradients, double order = 2)
    {
        if (gradients.Length == 0) return 0;
        using var scope = NewDisposeScope();
        return GradientNorm.Of(gradients, order).to(float64).item<double>();
    }

    /// <summary>Multiplies all gradients by a factor.</summary>
    internal static void Scale(Tensor[] gradients, double factor)
    {
        if (gradients.Length > 0) Script.Call("scale", gradients, factor);
    }

    /// <summary>
    /// Returns the gradients of those parameters that have one; the current dispose scope owns the tensors.
    /// </summary>
    internal static Tensor[] Gradients(IEnumerable<Parameter> parameters) =>
        [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
}
