using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Counts the floating-point operations (FLOPs) of a model's matrix products, convolutions and attention.
/// </summary>
/// <remarks>
/// A multiplication and an addition count as two. Attention counts in full even where a mask hides part of it,
/// as in the model FLOPs utilization of Chowdhery et al., 2022, https://arxiv.org/abs/2204.02311, appendix B.
/// Sums, norms and activations are not counted, because they are bound by memory bandwidth and not by
/// arithmetic.
/// </remarks>
public static class FlopCounter
{
    [ThreadStatic]
    private static HashSet<nn.Module>? watched;   // modules that enclosing counts have hooked already

    /// <summary>
    /// Counts the FLOPs of a computation, in the kit's layers and in the model's TorchSharp linear and convolution
    /// layers.
    /// </summary>
    /// <param name="model">The model. Only shapes matter, so it may be on the meta device.</param>
    /// <param name="forward">Runs the model on this thread, such as <c>() =&gt; model.call(x)</c>; the tensors that
    /// it creates are disposed.</param>
    public static double Of(nn.Module model, Action forward)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(forward);
        using var scope = NewDisposeScope();
        return While(model, forward);
    }

    /// <summary>Counts as <see cref="Of"/> does, but does not dispose the tensors that are created.</summary>
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

    /// <summary>
    /// Hooks a TorchSharp layer, which does not count its own FLOPs. Returns an action that removes the hook, or
    /// null for other modules.
    /// </summary>
    private static Action? Watch(nn.Module module) => module switch
    {
        Linear linear => linear.register_forward_hook((_, x, y) => Noted(x, y, linear.weight!, ProductKind.Linear)).remove,
        Conv1d convolution => convolution.register_forward_hook((_, x, y) => Noted(x, y, convolution.weight)).remove,
        Conv2d convolution => convolution.register_forward_hook((_, x, y) => Noted(x, y, convolution.weight)).remove,
        Conv3d convolution => convolution.register_forward_hook((_, x, y) => Noted(x, y, convolution.weight)).remove,
        _ => null,
    };

    /// <summary>
    /// Adds the FLOPs of a layer; each element of the output is a sum over one row of the weight, [out, ...].
    /// </summary>
    private static Tensor Noted(Tensor input, Tensor output, Tensor weight, ProductKind kind = ProductKind.Convolution)
    {
        FlopTally.Add((double)output.numel() * weight.numel() / weight.shape[0], kind, LinearProduct.Gradients(input, weight));
        return output;
    }
}
