using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// Records the activations of a model: while this object is alive, every forward pass stores its activations
/// here.
/// </summary>
/// <remarks>
/// Names are those of the hook points in the module tree. Each forward pass replaces the activations of earlier
/// ones. Recording an attention pattern makes that layer, and only that one, fall back to unfused attention.
/// </remarks>
public sealed class ActivationCache : IDisposable
{
    private readonly Dictionary<string, Tensor> activations = [];
    private readonly List<HookableModule<Func<Module<Tensor, Tensor>, Tensor, Tensor>,
        Func<Module<Tensor, Tensor>, Tensor, Tensor, Tensor>>.HookRemover> hooks = [];

    private ActivationCache()
    {
    }

    /// <summary>Starts recording.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="filter">
    /// Selects hook points by name, such as <c>name => name.EndsWith("resid_post")</c>; by default all hook points.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The filter selects no hook point; the message lists those that exist.
    /// </exception>
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

    /// <summary>Names of the recorded hook points, in the order of computation.</summary>
    public IReadOnlyCollection<string> Names => activations.Keys;

    /// <summary>
    /// Returns the activation at a hook point in the last forward pass: a copy without gradient, which the cache
    /// owns.
    /// </summary>
    /// <exception cref="KeyNotFoundException">
    /// Nothing was recorded under this name; the message lists the recorded names.
    /// </exception>
    public Tensor this[string name] => activations.TryGetValue(name, out var activation) ? activation
        : throw new KeyNotFoundException(
            activations.Count == 0 ? $"'{name}' was not recorded: the model has not run since recording began."
            : $"'{name}' was not recorded; there are {Some(activations.Keys)}.");

    /// <summary>Stops recording and frees the activations.</summary>
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
