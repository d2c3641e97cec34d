using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>What a model computes on the way: while this is alive, every forward pass leaves its activations here.</summary>
/// <remarks>
/// Places are named as in the module tree. A later pass replaces what an earlier one left. Recording an attention pattern takes
/// that layer, and only it, off the fused kernel.
/// </remarks>
public sealed class ActivationCache : IDisposable
{
    private readonly Dictionary<string, Tensor> activations = [];
    private readonly List<HookableModule<Func<Module<Tensor, Tensor>, Tensor, Tensor>,
        Func<Module<Tensor, Tensor>, Tensor, Tensor, Tensor>>.HookRemover> hooks = [];

    private ActivationCache()
    {
    }

    /// <summary>Begins to record.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="filter">
    /// Which places, by name, such as <c>name => name.EndsWith("resid_post")</c>; by default every hook point.
    /// </param>
    /// <exception cref="ArgumentException">The filter chooses no place; lists those there are.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static ActivationCache Record(nn.Module model, Func<string, bool>? filter = null)
    {
        Packing.Refuse(model, "hooked");
        var cache = new ActivationCache();
        var places = Places(model).ToList();
        foreach (var (name, module) in places)
            if (filter is null ? module is HookPoint : filter(name))
                cache.hooks.Add(module.register_forward_hook((_, _, output) => cache.Keep(name, output)));
        return cache.hooks.Count > 0 ? cache : throw new ArgumentException(
            $"The filter chooses none of the {places.Count} places of {model.GetName()}, such as "
                + $"{Some(places.Select(place => place.Name))}.", nameof(filter));
    }

    /// <summary>Names of what was recorded, in the order of the model's computation.</summary>
    public IReadOnlyCollection<string> Names => activations.Keys;

    /// <summary>The activation at a place in the last forward pass: a copy without gradient, which the cache owns.</summary>
    /// <exception cref="KeyNotFoundException">Nothing was recorded there; lists what was.</exception>
    public Tensor this[string name] => activations.TryGetValue(name, out var activation) ? activation
        : throw new KeyNotFoundException(
            activations.Count == 0 ? $"'{name}' was not recorded: the model has not run since recording began."
            : $"'{name}' was not recorded; there are {Some(activations.Keys)}.");

    /// <summary>Ends the recording and frees the activations.</summary>
    public void Dispose()
    {
        foreach (var hook in hooks) hook.remove();
        foreach (var activation in activations.Values) activation.Dispose();
        hooks.Clear();
        activations.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{activations.Count} activations: {Some(activations.Keys)}";

    private static IEnumerable<(string Name, Module<Tensor, Tensor> Module)> Places(nn.Module model) =>
        model.named_modules().Where(pair => pair.module is Module<Tensor, Tensor>)
            .Select(pair => (pair.name, (Module<Tensor, Tensor>)pair.module));

    private Tensor Keep(string name, Tensor output)
    {
        if (activations.Remove(name, out var earlier)) earlier.Dispose();
        using var detached = output.detach();
        activations[name] = detached.clone().DetachFromDisposeScope();
        return output;
    }

    private static string Some(IEnumerable<string> names)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(20)) + (all.Count > 20 ? $" and {all.Count - 20} more" : "");
    }
}
