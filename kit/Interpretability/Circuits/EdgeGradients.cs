using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Gradients of a target with respect to what each reader reads from the stream, from one recorded pass.</summary>
internal static class EdgeGradients
{
    private static readonly string[] Read = ["hook_q", "hook_k", "hook_v"];

    /// <summary>Hook points that must be recorded with gradients.</summary>
    public static IReadOnlyList<string> Places(TransformerParts parts) =>
    [
        .. parts.Layers.SelectMany(layer => Read.Select(name => $"{layer.Branches[0].Module}.{name}")),
        .. parts.Layers.Where(layer => layer.Branches.Count > 1).Select(layer => layer.Branches[1].Input),
        .. parts.Layers.Select(layer => layer.Begin),
        parts.Layers[^1].End,
    ];

    /// <summary>The gradients of each layer's readers, after the target was differentiated.</summary>
    /// <returns>[reader, batch, time, channels], in the order of <see cref="CircuitNodes.Receivers"/>.</returns>
    public static IEnumerable<(IReadOnlyList<Receiver> Receivers, Tensor Gradients)> Of(
        CircuitNodes nodes, ActivationCache recording)
    {
        foreach (var layer in nodes.Parts.Layers)
        {
            var stream = recording[layer.Begin];
            var name = layer.Branches[0].Module;
            for (var part = 0; part < 3; part++)
            {
                var input = "qkv"[part].ToString();
                var gradient = OfHeads(nodes, layer.Index, part, stream, recording.Gradient($"{name}.hook_{input}"));
                yield return ([.. nodes.Receivers.Where(one => one.Layer == layer.Index && one.Input == input)], gradient);
            }
            if (layer.Branches.Count > 1)
                yield return ([nodes.Receivers.First(one => one.Layer == layer.Index && one.Head is null)],
                    recording.Gradient(layer.Branches[1].Input).unsqueeze(0));
        }
        yield return ([nodes.Receivers[^1]], recording.Gradient(nodes.Parts.Layers[^1].End).unsqueeze(0));
    }

    /// <summary>Takes gradients of queries, keys or values back through projection and norm, for each head alone.</summary>
    private static Tensor OfHeads(CircuitNodes nodes, int layer, int part, Tensor stream, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var heads = gradient.shape[1];
        var (batch, time, channels) = stream.Axes3();
        var read = stream.detach().repeat(heads, 1, 1).requires_grad_(true);               // [head · batch, time, channels]
        var all = nodes.Decoder.ReadHeads(layer, read, nodes.Decoder.PassFrom(0, time, read, null));
        var output = part == 0 ? all.Queries : part == 1 ? all.Keys : all.Values;
        var weights = zeros([heads, batch, heads, time, gradient.shape[3]], gradient.dtype, gradient.device);
        for (var head = 0; head < heads; head++) weights[head].select(1, head).copy_(gradient.select(1, head));
        var found = GuardedGrad.Grad(output, [read], weights.view(output.shape))[0];
        return found.view(heads, batch, time, channels).MoveToOuterDisposeScope();
    }
}
