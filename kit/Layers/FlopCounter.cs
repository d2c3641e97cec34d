using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>How many floating-point operations a model's products take: of matrices, convolutions and attention.</summary>
/// <remarks>
/// A multiplication and an addition are two. Attention counts in full, also where a mask leaves a part of it out, as in the model
/// FLOPs utilization of Chowdhery et al., 2022, https://arxiv.org/abs/2204.02311, appendix B. Sums, norms and activations count
/// nothing: they wait for memory rather than for arithmetic.
/// </remarks>
public static class FlopCounter
{
    [ThreadStatic]
    private static HashSet<nn.Module>? watched;   // by the counts around this one

    /// <summary>
    /// Counts what is computed here, by the kit's layers and by TorchSharp's linear and convolution layers of the model.
    /// </summary>
    /// <param name="model">The model; shapes are all that counts, so that one on the meta device will do.</param>
    /// <param name="forward">Calls it, on this thread, such as <c>() =&gt; model.call(x)</c>; what it makes is disposed.</param>
    public static double Of(nn.Module model, Action forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        using var scope = NewDisposeScope();
        return While(model, forward);
    }

    /// <summary>The same, where what is made is still needed.</summary>
    internal static double While(nn.Module model, Action forward)
    {
        var fresh = model.modules().Prepend(model).Where((watched ??= []).Add).ToList();
        var removals = fresh.Select(Watch).OfType<Action>().ToList();
        try
        {
            return FlopTally.While(forward);
        }
        finally
        {
            foreach (var remove in removals) remove();
            watched.ExceptWith(fresh);
        }
    }

    /// <summary>TorchSharp's own layers cannot count; gives what ends the watch, or null for other modules.</summary>
    private static Action? Watch(nn.Module module) => module switch
    {
        Linear linear => linear.register_forward_hook((_, _, output) => Noted(output, linear.weight!)).remove,
        Conv1d convolution => convolution.register_forward_hook((_, _, output) => Noted(output, convolution.weight)).remove,
        Conv2d convolution => convolution.register_forward_hook((_, _, output) => Noted(output, convolution.weight)).remove,
        Conv3d convolution => convolution.register_forward_hook((_, _, output) => Noted(output, convolution.weight)).remove,
        _ => null,
    };

    /// <summary>Every output is a sum over one row of the weight, [out, ...].</summary>
    private static Tensor Noted(Tensor output, Tensor weight)
    {
        FlopTally.Add((double)output.numel() * weight.numel() / weight.shape[0]);
        return output;
    }
}
