using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>max(0, x); where no gradient is recorded it overwrites what comes in, which nobody else may need.</summary>
internal sealed class Relu() : Module<Tensor, Tensor>(nameof(Relu))
{
    /// <param name="x">A result of the layer before, any shape.</param>
    public override Tensor forward(Tensor x) => !x.requires_grad ? x.relu_() : MetaDevice.Relu(x);
}
