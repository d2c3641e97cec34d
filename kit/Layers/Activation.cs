using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>The non-linearity between the two layers of an MLP.</summary>
public enum Activation
{
    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>
    /// x Φ(x), computed with the error function. Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415.
    /// </summary>
    Gelu,

    /// <summary>The tanh approximation of GELU, GPT-2's <c>gelu_new</c>.</summary>
    GeluTanh,

    /// <summary>x σ(x), also called swish.</summary>
    Silu,

    /// <summary>tanh(x).</summary>
    Tanh,

    /// <summary>x σ(1.702 x), the sigmoid approximation of GELU.</summary>
    QuickGelu,

    /// <summary>max(0, x)², ReLU². So et al., 2021 (Primer), https://arxiv.org/abs/2109.08668.</summary>
    SquaredRelu,
}

/// <summary>Applies an <see cref="Activation"/>.</summary>
public static class ActivationFunctions
{
    /// <summary>Applies the non-linearity to each element.</summary>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    public static Tensor Apply(this Activation activation, Tensor x)
    {
        var y = Values(activation, x);
        if (ActivationTape.Current is not null)
            ActivationRules.Unary(x, y, activation is Activation.Relu or Activation.Tanh,
                activation == Activation.QuickGelu ? 1 : 0);
        return y;
    }

    private static Tensor Values(Activation activation, Tensor x) => activation switch
    {
        Activation.Relu => MetaDevice.Relu(x),
        Activation.Gelu => functional.gelu(x),
        Activation.GeluTanh => functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        Activation.Silu => functional.silu(x),
        Activation.Tanh => x.tanh(),
        Activation.SquaredRelu => WrappedTensorDisposeScope(() => MetaDevice.Relu(x).square()),
        Activation.QuickGelu => WrappedTensorDisposeScope(() => x * (1.702 * x).sigmoid()),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation."),
    };
}
