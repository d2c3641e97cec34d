using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// A gated MLP, down(activation(gate(x)) · up(x)), applied at each position: SwiGLU if the activation is SiLU.
/// </summary>
/// <remarks>Shazeer, 2020, https://arxiv.org/abs/2002.05202. No biases; parameter names are those of Llama.</remarks>
public sealed class GatedMlp : Module<Tensor, Tensor>
{
    private readonly Dense gate_proj, up_proj, down_proj;
    private readonly HookPoint hook_pre = new(), hook_post = new();   // [batch, time, feed-forward channels]
    private readonly Activation activation;

    /// <param name="width">Channels of the input and of the output.</param>
    /// <param name="feedForwardWidth">Channels of the hidden layer.</param>
    /// <param name="activation">Non-linearity of the gate.</param>
    public GatedMlp(int width, int feedForwardWidth, Activation activation = Activation.Silu) : base(nameof(GatedMlp))
    {
        this.activation = activation;
        gate_proj = Initialization.Dense(width, feedForwardWidth, bias: false);
        up_proj = Initialization.Dense(width, feedForwardWidth, bias: false);
        down_proj = Initialization.Dense(feedForwardWidth, width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[..., channels].</param>
    /// <returns>[..., channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var gated = activation.Apply(hook_pre.Pass(gate_proj.call(x))) * up_proj.call(x);
        return down_proj.call(hook_post.Pass(gated)).MoveToOuterDisposeScope();
    }

    /// <summary>Its products for steps of one row; null where one is computed otherwise.</summary>
    internal (StepProduct Gate, StepProduct Up, StepProduct Down)? Step() =>
        gate_proj.Step() is { } gate && up_proj.Step() is { } up && down_proj.Step() is { } down ? (gate, up, down) : null;
}
