using System.Diagnostics.CodeAnalysis;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// The outputs of named layers of a model for one input, such as the four stages of a ResNet: a feature
/// pyramid.
/// </summary>
/// <remarks>
/// Unlike recorded activations, the maps keep their autograd graph, so that layers can be trained on top of
/// them. They live until this object is disposed.
/// </remarks>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "Maps is the word for them.")]
public sealed class FeatureMaps : IDisposable
{
    private readonly Dictionary<string, Tensor> maps = [];

    private FeatureMaps()
    {
    }

    /// <summary>Runs a model once and keeps the outputs of the named layers.</summary>
    /// <param name="model">Any model whose layers take and return one tensor.</param>
    /// <param name="input">Input of the model.</param>
    /// <param name="names">Places in the module tree, such as <c>layer1</c> or <c>features.20</c>.</param>
    /// <exception cref="KeyNotFoundException">The model has no such layer (the message lists its layers), or the
    /// layer did not run.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static FeatureMaps Of(Module<Tensor, Tensor> model, Tensor input, params IReadOnlyList<string> names)
    {
        Packing.Refuse(model, "hooked");
        var layers = model.named_modules().Where(pair => pair.module is Module<Tensor, Tensor>)
            .ToDictionary(pair => pair.name, pair => (Module<Tensor, Tensor>)pair.module);
        foreach (var name in names)
            if (!layers.ContainsKey(name))
                throw new KeyNotFoundException($"{model.GetName()} has no layer '{name}'; "
                + $"expected one of {string.Join(", ", layers.Keys)}.");

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

    /// <summary>Names of the kept layers, in the order in which the model computes them.</summary>
    public IReadOnlyCollection<string> Names => maps.Keys;

    /// <summary>Output of the model.</summary>
    public Tensor Output { get; private set; } = null!;

    /// <summary>Output of a layer; if the layer runs several times, its last output.</summary>
    /// <exception cref="KeyNotFoundException">The layer was not among the names.</exception>
    public Tensor this[string name] => maps.TryGetValue(name, out var map) ? map
        : throw new KeyNotFoundException($"The output of layer '{name}' was not kept; "
        + $"expected one of {string.Join(", ", maps.Keys)}.");

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
        // Without a gradient the next layer may overwrite its input.
        maps[name] = (output.requires_grad ? output.alias() : output.clone()).DetachFromDisposeScope();
        return output;
    }
}
