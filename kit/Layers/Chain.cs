using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Layers that run one after the other, with numbers as names: a drop-in for <c>torch.nn.Sequential</c> that
/// also runs on the meta device.
/// </summary>
internal sealed class Chain : Module<Tensor, Tensor>
{
    // a convolution with its batch norm and ReLU is one step
    private readonly List<Func<Tensor, Tensor>> steps = [];

    /// <param name="layers">The layers, at least one.</param>
    public Chain(IEnumerable<Module<Tensor, Tensor>> layers) : base(nameof(Chain))
    {
        Module<Tensor, Tensor>[] all = [.. layers];
        for (var number = 0; number < all.Length; number++) register_module($"{number}", all[number]);
        for (var next = 0; next < all.Length;)
        {
            var layer = all[next++];
            if (layer is Convolution2d convolution)
            {
                var norm = next < all.Length && all[next] is BatchNorm2d ? (BatchNorm2d)all[next++] : null;
                var relu = next < all.Length && all[next] is Relu ? (Relu)all[next++] : null;
                var step = new ConvolutionStep(convolution, norm, relu);
                steps.Add(x => x.Through(step));
            }
            else steps.Add(x => x.Through(layer));
        }
    }

    /// <param name="x">Input of the first layer.</param>
    /// <returns>Output of the last layer.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var current = steps[0](x);
        for (var number = 1; number < steps.Count; number++)
        {
            var next = steps[number](current);
            if (!ReferenceEquals(next, current)) current.Dispose();   // autograd keeps what it needs
            current = next;
        }
        return current.MoveToOuterDisposeScope();
    }
}
