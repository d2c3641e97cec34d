using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Rules that choose parameters by name and value: what decays, what is in a group.</summary>
public static class ParameterRules
{
    /// <summary>Every parameter.</summary>
    public static Func<string, Tensor, bool> All => (_, _) => true;

    /// <summary>
    /// Matrices and convolution kernels: neither biases nor the weights of norms. The usual rule of weight decay for
    /// transformers.
    /// </summary>
    public static Func<string, Tensor, bool> MatricesOnly => (_, parameter) => parameter.dim() >= 2;

    /// <summary>Parameters in whose name one of the parts occurs, such as <c>"wte"</c>, <c>"bias"</c> or <c>"h.0."</c>.</summary>
    public static Func<string, Tensor, bool> Named(params string[] parts) =>
        (name, _) => parts.Any(part => name.Contains(part, StringComparison.Ordinal));

    /// <summary>The others.</summary>
    public static Func<string, Tensor, bool> Not(Func<string, Tensor, bool> rule) => (name, parameter) => !rule(name, parameter);
}
