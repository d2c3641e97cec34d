using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// max(0, x). Where no gradient is recorded it overwrites its input, which nothing else may need.
/// </summary>
internal sealed class Relu() : Module<Tensor, Tensor>(nameof(Relu))
{
    /// <param name="x">Output of the layer before, of any shape.</param>
    public override Tensor forward(Tensor x)
    {
        if (!x.requires_grad) return x.relu_();
        var y = MetaDevice.Relu(x);
        ActivationRules.Unary(x, y, keepsOutput: true);
        return y;
    }
}
