using System.Diagnostics.CodeAnalysis;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>What named layers of a model give for one input, such as the four stages of a ResNet: a feature pyramid.</summary>
/// <remarks>
/// Unlike a recording of activations these keep their gradients, so that something trained can stand on them. The maps live until
/// this is disposed.
/// </remarks>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "Maps is the word for them.")]
public sealed class FeatureMaps : IDisposable
{
    private readonly Dictionary<string, Tensor> maps = [];

    private FeatureMaps()
    {
    }

    /// <summary>Runs a model once and keeps what the named layers give.</summary>
    /// <param name="model">Any model whose layers take and give one tensor.</param>
    /// <param name="input">What the model takes.</param>
    /// <param name="names">Places in the module tree, such as <c>layer1</c> or <c>features.20</c>.</param>
    /// <exception cref="KeyNotFoundException">The model has no such layer, or it did not run; lists those there are.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static FeatureMaps Of(Module<Tensor, Tensor> model, Tensor input, params IReadOnlyList<string> names)
    {
        Packing.Refuse(model, "hooked");
        var layers = model.named_modules().Where(pair => pair.module is Module<Tensor, Tensor>)
            .ToDictionary(pair => pair.name, pair => (Module<Tensor, Tensor>)pair.module);
        foreach (var name in names)
            if (!layers.ContainsKey(name))
                throw new KeyNotFoundException(
                    $"{model.GetName()} has no layer '{name}'; there are {string.Join(", ", layers.Keys)}.");

        var kept = new FeatureMaps();
        var hooks = names.Distinct().Select(name => layers[name].register_forward_hook((_, _, output) => kept.Keep(name, output)))
            .ToList();
        try
        {
            kept.Output = model.call(input).DetachFromDisposeScope();
        }
        catch
        {
            kept.Dispose();
            throw;
        }
        finally
        {
            foreach (var hook in hooks) hook.remove();
        }
        foreach (var name in names)
            if (!kept.maps.ContainsKey(name))
            {
                kept.Dispose();
                throw new KeyNotFoundException($"The layer '{name}' did not run in a forward pass of {model.GetName()}.");
            }
        return kept;
    }

    /// <summary>Names of the maps, in the order of the model's computation.</summary>
    public IReadOnlyCollection<string> Names => maps.Keys;

    /// <summary>What the model itself gives.</summary>
    public Tensor Output { get; private set; } = null!;

    /// <summary>What a layer gives; of a layer that runs several times, what it gives last.</summary>
    /// <exception cref="KeyNotFoundException">It was not asked for.</exception>
    public Tensor this[string name] => maps.TryGetValue(name, out var map) ? map
        : throw new KeyNotFoundException($"'{name}' was not asked for; there are {string.Join(", ", maps.Keys)}.");

    /// <summary>Frees the maps and the output.</summary>
    public void Dispose()
    {
        foreach (var map in maps.Values) map.Dispose();
        maps.Clear();
        Output?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", maps.Select(pair => $"{pair.Key} {pair.Value.ShapeText()}"));

    private Tensor Keep(string name, Tensor output)
    {
        if (maps.Remove(name, out var earlier)) earlier.Dispose();
        // Without a gradient the next layer may work in place.
        maps[name] = (output.requires_grad ? output.alias() : output.clone()).DetachFromDisposeScope();
        return output;
    }
}
