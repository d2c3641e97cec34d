using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A named identity module in a model, at which hooks can observe or replace an activation.</summary>
/// <remarks>
/// Its name is its place in the module tree, such as <c>h.0.hook_resid_post</c>, as in TransformerLens. Hooks
/// are TorchSharp's own, added with <c>register_forward_hook</c>.
/// </remarks>
public sealed class HookPoint() : Module<Tensor, Tensor>(nameof(HookPoint)), IPackableLayer
{
    /// <summary>Whether it has a hook. Layers that compute an activation only for hooks check this.</summary>
    public bool IsWatched => post_hooks.Count + pre_hooks.Count + module_post_hooks.Count + module_pre_hooks.Count > 0;

    /// <summary>
    /// Passes an activation through the hooks; without hooks returns the tensor itself, which saves two calls into
    /// libtorch.
    /// </summary>
    /// <param name="activation">Any tensor.</param>
    internal Tensor Pass(Tensor activation) => IsWatched ? call(activation) : activation;

    /// <summary>Whether its model is packed for inference.</summary>
    internal bool IsPacked { get; private set; }

    void IPackableLayer.Pack(ScalarType dtype) => IsPacked = true;

    /// <summary>Returns the activation unchanged, for hooks to observe or replace.</summary>
    /// <param name="activation">Any tensor.</param>
    /// <returns>An alias of the activation, which dispose scopes can dispose separately.</returns>
    /// <exception cref="InvalidOperationException">It has a hook, and the model is packed for
    /// inference.</exception>
    public override Tensor forward(Tensor activation) => IsPacked && IsWatched ? throw Packing.Refusal("hooked")
        : Alias(activation);

    private static Tensor Alias(Tensor activation)
    {
        var alias = activation.alias();
        ActivationTape.Same(activation, alias);
        return alias;
    }
}
