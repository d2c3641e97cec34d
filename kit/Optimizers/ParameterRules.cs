using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Rules that select parameters by name and value, for weight decay and for parameter groups.
/// </summary>
public static class ParameterRules
{
    /// <summary>Selects every parameter.</summary>
    public static Func<string, Tensor, bool> All => (_, _) => true;

    /// <summary>
    /// Selects matrices and convolution kernels, but not biases and weights of norms. The usual rule of weight decay
    /// for transformers.
    /// </summary>
    public static Func<string, Tensor, bool> MatricesOnly => (_, parameter) => parameter.dim() >= 2;

    /// <summary>
    /// Selects parameters whose name contains one of the parts, such as <c>"wte"</c>, <c>"bias"</c> or
    /// <c>"h.0."</c>.
    /// </summary>
    public static Func<string, Tensor, bool> Named(params string[] parts) =>
        (name, _) => parts.Any(part => name.Contains(part, StringComparison.Ordinal));

    /// <summary>Selects the parameters that a rule does not select.</summary>
    public static Func<string, Tensor, bool> Not(Func<string, Tensor, bool> rule) => (name, parameter) => !rule(name, parameter);
}
