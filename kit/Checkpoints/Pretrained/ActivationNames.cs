using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>Non-linearities by their names in transformers.</summary>
internal static class ActivationNames
{
    private static readonly (string Name, Activation Activation)[] Pairs =   // the first name of each is written
    [
        ("relu", Activation.Relu), ("gelu", Activation.Gelu), ("gelu_python", Activation.Gelu), ("gelu_new", Activation.GeluTanh),
        ("gelu_pytorch_tanh", Activation.GeluTanh), ("gelu_fast", Activation.GeluTanh), ("silu", Activation.Silu),
        ("swish", Activation.Silu),
        ("tanh", Activation.Tanh), ("quick_gelu", Activation.QuickGelu),
    ];

    /// <summary>All names.</summary>
    public static string Known => string.Join(", ", Pairs.Select(pair => pair.Name));

    /// <summary>Null for a name that is not known.</summary>
    public static Activation? Parse(string name) =>
        Pairs.Where(pair => pair.Name == name).Select(pair => (Activation?)pair.Activation).FirstOrDefault();

    /// <summary>The usual name.</summary>
    public static string Of(Activation activation) => Pairs.First(pair => pair.Activation == activation).Name;
}
