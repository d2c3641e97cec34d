using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>TorchSharp's own linear layer, quantized in place.</summary>
/// <remarks>
/// The class is sealed and models hold it in fields of its type, so it is not replaced. Hooks give its own product no rows to
/// compute, and put the quantized product in the place of its result. Hooks run when the layer is called by <c>call</c>;
/// <c>forward</c> computes NaN with the emptied weight.
/// </remarks>
/// <param name="linear">The layer.</param>
internal sealed class HookedLinear(Linear linear) : IQuantizableLayer
{
    private static readonly ConditionalWeakTable<Tensor, Tensor> Inputs = [];   // by the empty input that stands for each

    public nn.Module Module => linear;

    public LowRankAdapter? Adapter => null;

    public Tensor Matrix() => linear.weight!.alias();

    public void Hold(QuantizedWeight quantized)
    {
        linear.register_module(nameof(quantized), quantized);
        Packing.Empty(linear.weight!);
        linear.register_forward_pre_hook((_, x) =>
        {
            var nothing = empty([0, linear.weight!.shape[1]], linear.weight.dtype, linear.weight.device);
            Inputs.Add(nothing, x);
            return nothing;
        });
        linear.register_forward_hook((_, empty, nothing) =>
        {
            if (!Inputs.TryGetValue(empty, out var x))
                throw new InvalidOperationException(
                    "Another hook changed the input of a quantized layer; attach it to the layer's parent.");
            nothing.Dispose();
            empty.Dispose();
            return quantized.Multiply(x, linear.bias);
        });
    }
}
