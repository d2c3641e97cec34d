using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>What passes through the hook points of a model's layers in a forward pass, by the end of their names.</summary>
internal sealed class WatchedLayers : IDisposable
{
    private readonly Dictionary<string, List<HookPoint>> points = [];
    private readonly Dictionary<HookPoint, Tensor> seen = [];
    private readonly List<Action> removals = [];

    /// <param name="model">The model.</param>
    /// <param name="hooks">Ends of the names of hook points.</param>
    public WatchedLayers(nn.Module model, IEnumerable<string> hooks)
    {
        foreach (var hook in hooks.Distinct())
        {
            points[hook] = [.. model.named_modules().Where(pair => pair.module is HookPoint
                && pair.name.EndsWith(hook, StringComparison.Ordinal)).Select(pair => (HookPoint)pair.module)];
            if (points[hook].Count == 0)
                throw new ArgumentException($"{model.GetName()} has no hook point {hook}, which a term of the distillation "
                    + "compares.");
            foreach (var point in points[hook])
                removals.Add(point.register_forward_hook((_, _, activation) =>
                {
                    seen[point] = activation.alias().DetachFromDisposeScope();
                    return activation;
                }).remove);
        }
    }

    /// <summary>Number of layers with a hook point.</summary>
    public int Count(string hook) => points[hook].Count;

    /// <summary>The activation of a layer in the last forward pass, as a tensor of the current dispose scope.</summary>
    /// <exception cref="InvalidOperationException">The layer did not run.</exception>
    public Tensor Of(string hook, int layer) => seen.TryGetValue(points[hook][layer], out var activation) ? activation.alias()
        : throw new InvalidOperationException($"The hook point {hook} of layer {layer} did not run.");

    /// <summary>Forgets the last forward pass.</summary>
    public void Clear()
    {
        foreach (var activation in seen.Values) activation.Dispose();
        seen.Clear();
    }

    public void Dispose()
    {
        Clear();
        foreach (var remove in removals) remove();
        removals.Clear();
    }
}
