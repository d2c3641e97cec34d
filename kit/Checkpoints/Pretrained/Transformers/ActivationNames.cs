using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>Names of the activation functions in Hugging Face transformers.</summary>
internal static class ActivationNames
{
    private static readonly (string Name, Activation Activation)[] Pairs =   // the first name is the one written
    [
        ("relu", Activation.Relu), ("gelu", Activation.Gelu), ("gelu_python", Activation.Gelu), ("gelu_new", Activation.GeluTanh),
        ("gelu_pytorch_tanh", Activation.GeluTanh), ("gelu_fast", Activation.GeluTanh), ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("tanh", Activation.Tanh), ("quick_gelu", Activation.QuickGelu), ("relu2", Activation.SquaredRelu),
    ];

    /// <summary>All names, for error messages.</summary>
    public static string Known => string.Join(", ", Pairs.Select(pair => pair.Name));

    /// <summary>Returns the activation of a name; null if the name is unknown.</summary>
    public static Activation? Parse(string name) =>
        Pairs.Where(pair => pair.Name == name).Select(pair => (Activation?)pair.Activation).FirstOrDefault();

    /// <summary>Returns the name to write for an activation.</summary>
    public static string Of(Activation activation) => Pairs.First(pair => pair.Activation == activation).Name;
}
