using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A named place to look into a model: it passes on what it gets, and whoever hooks it sees it or replaces it.</summary>
/// <remarks>
/// Its name is its place in the module tree, such as <c>h.0.hook_resid_post</c> (the names of TransformerLens). Hooks are
/// TorchSharp's own, <c>register_forward_hook</c>.
/// </remarks>
public sealed class HookPoint() : Module<Tensor, Tensor>(nameof(HookPoint)), IPackableLayer
{
    /// <summary>True while somebody has a hook here: layers that only then make the activation ask this.</summary>
    public bool IsWatched => post_hooks.Count + pre_hooks.Count + module_post_hooks.Count + module_pre_hooks.Count > 0;

    /// <summary>What hooks make of it; the tensor itself where nobody watches, which saves two calls into libtorch.</summary>
    /// <param name="activation">Any tensor.</param>
    internal Tensor Pass(Tensor activation) => IsWatched ? call(activation) : activation;

    /// <summary>Whether its model is packed for inference.</summary>
    internal bool IsPacked { get; private set; }

    void IPackableLayer.Pack(ScalarType dtype) => IsPacked = true;

    /// <param name="activation">Any tensor.</param>
    /// <returns>The same values, in a tensor of its own that scopes may dispose separately.</returns>
    /// <exception cref="InvalidOperationException">It has a hook in a model that is packed for inference.</exception>
    public override Tensor forward(Tensor activation) => IsPacked && IsWatched ? throw Packing.Refusal("hooked")
        : activation.alias();
}
