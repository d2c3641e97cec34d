using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Shortens gradients before a step, all tensors at once.</summary>
public static class GradientClip
{
    private static readonly TorchScript Script = new("GradientClip.py");

    /// <summary>Makes the gradient over all parameters together at most so long, and says how long it was.</summary>
    /// <remarks>Pascanu et al., 2013, https://arxiv.org/abs/1211.5063; torch's <c>clip_grad_norm_</c>.</remarks>
    /// <param name="parameters">Whose gradients; those without are passed over.</param>
    /// <param name="maximum">Longest gradient; infinite to measure only.</param>
    /// <param name="order">Of the norm: 2 for the Euclidean one, infinite for the largest number.</param>
    /// <returns>The norm before, 0 if there is no gradient.</returns>
    /// <exception cref="ArgumentException">A maximum or an order that is not above 0.</exception>
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

    /// <summary>Brings every number of the gradients into [-maximum, maximum].</summary>
    /// <param name="parameters">Whose gradients; those without are passed over.</param>
    /// <param name="maximum">Largest number.</param>
    /// <exception cref="ArgumentException">A maximum that is not above 0.</exception>
    public static void ByValue(IEnumerable<Parameter> parameters, double maximum)
    {
        Require.That(maximum > 0, maximum, nameof(maximum), "above 0");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var gradients = Gradients(parameters);
        if (gradients.Length > 0) Script.Call("by_value", gradients, maximum);
    }

    /// <summary>Keeps the factor from infinity, as torch does.</summary>
    internal const double Epsilon = 1e-6;

    /// <summary>The norm of all gradients together; 0 if there is none.</summary>
    internal static double Norm(Tensor[] gradients, double order = 2)
    {
        if (gradients.Length == 0) return 0;
        using var scope = NewDisposeScope();
        return GradientNorm.Of(gradients, order).to(float64).item<double>();
    }

    /// <summary>Multiplies all gradients.</summary>
    internal static void Scale(Tensor[] gradients, double factor)
    {
        if (gradients.Length > 0) Script.Call("scale", gradients, factor);
    }

    /// <summary>The gradients that there are, in the scope at hand.</summary>
    internal static Tensor[] Gradients(IEnumerable<Parameter> parameters) =>
        [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
}
