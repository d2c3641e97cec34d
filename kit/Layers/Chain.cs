using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Layers one after the other, named by their numbers, as in <c>torch.nn.Sequential</c>; runs on the meta device too.</summary>
internal sealed class Chain : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor>[] layers;

    /// <param name="layers">At least one.</param>
    public Chain(IEnumerable<Module<Tensor, Tensor>> layers) : base(nameof(Chain))
    {
        this.layers = [.. layers];
        for (var number = 0; number < this.layers.Length; number++) register_module($"{number}", this.layers[number]);
    }

    /// <param name="x">What the first layer takes.</param>
    /// <returns>What the last layer gives.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var current = x.Through(layers[0]);
        foreach (var layer in layers.AsSpan(1))
        {
            var next = current.Through(layer);
            if (!ReferenceEquals(next, current)) current.Dispose();   // gradients keep what they need themselves
            current = next;
        }
        return current.MoveToOuterDisposeScope();
    }
}
