using ResearchKit.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>A clean and a corrupted run of a model, between whose values edges are switched.</summary>
internal sealed class CircuitPair : IDisposable
{
    private readonly Module<Tensor, Tensor> model;
    private readonly Tensor clean;
    private readonly Target target;
    private readonly Tensor cleanOutputs, corruptedOutputs;   // of the senders, [sender, example, time, channels]
    private readonly Dictionary<string, (Receiver Receiver, int Sender)> edges;

    public CircuitPair(Module<Tensor, Tensor> model, Tensor clean, Tensor corrupted, Target target)
    {
        PatchSites.CheckShapes(clean, corrupted);
        this.model = model;
        this.clean = clean;
        this.target = target;
        var decoder = model as ILayeredDecoder ?? throw new ArgumentException(
            $"{model.GetName()} has no circuits that can be traced; expected Gpt or Llama.", nameof(model));
        var parts = TransformerParts.Of(model);
        var keys = $"{parts.Layers[0].Branches[0].Module}.hook_k";
        var places = new CircuitNodes(parts, decoder, parts.Heads).SenderPlaces;
        using var first = model.Record(clean, new RecordingOptions { Names = [.. places, keys] });
        using var second = model.Record(corrupted, new RecordingOptions { Names = places });
        Nodes = new CircuitNodes(parts, decoder, (int)first[keys].shape[1]);
        cleanOutputs = Nodes.Outputs(first).DetachFromDisposeScope();
        corruptedOutputs = Nodes.Outputs(second).DetachFromDisposeScope();
        CleanValue = target.Values(first.Output!).Average();
        CorruptedValue = target.Values(second.Output!).Average();
        Forwards = 2;
        edges = Nodes.Receivers.SelectMany(receiver => Enumerable.Range(0, receiver.Senders)
            .Select(sender => (receiver, sender))).ToDictionary(pair => Edge(pair.receiver, pair.sender, 0).Name);
    }

    public CircuitNodes Nodes { get; }

    public double CleanValue { get; }

    public double CorruptedValue { get; }

    public int Forwards { get; private set; }

    public int Backwards { get; private set; }

    public long Bytes => 2 * cleanOutputs.numel() * cleanOutputs.element_size();

    public void Dispose()
    {
        cleanOutputs.Dispose();
        corruptedOutputs.Dispose();
    }

    public CircuitEdge Edge(Receiver receiver, int sender, double score) =>
        new(Nodes.Senders[sender].Name, receiver.Name, receiver.Input, score);

    /// <summary>The edges of some names, by receiver.</summary>
    /// <exception cref="KeyNotFoundException">There is no such edge; the message lists the nearest names.</exception>
    public Dictionary<Receiver, IReadOnlyList<int>> Named(IEnumerable<string> names) => names
        .Select(name => edges.TryGetValue(name, out var edge) ? edge : throw new KeyNotFoundException(
            $"There is no edge '{name}'; {Places.Nearest(name, edges.Keys)}."))
        .GroupBy(edge => edge.Receiver, edge => edge.Sender)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<int>)[.. group]);

    /// <summary>The target on the clean input, after some edges were corrupted.</summary>
    public double Value(IReadOnlyDictionary<Receiver, IReadOnlyList<int>> corrupted)
    {
        using var scope = NewDisposeScope();
        Forwards++;
        return target.Values(new EdgeRun(model, Nodes, corruptedOutputs, corrupted).Logits(clean)).Average();
    }

    /// <summary>
    /// For each reader the estimated effect of corrupting each sender: (corrupted - clean) · gradient, summed over positions and
    /// examples.
    /// </summary>
    /// <param name="share">Where the gradient is taken: embeddings of the corrupted run at 0, of the clean run at 1.</param>
    public List<(Receiver Receiver, double[] Effects)> Effects(double share)
    {
        using var scope = NewDisposeScope();
        var embeddings = (corruptedOutputs[0] * (1 - share)) + (cleanOutputs[0] * share);
        using var between = share == 1 ? null : model.Edit(Nodes.Parts.Layers[0].Begin, Edit.Replace(embeddings));
        using var recording = model.Record(clean,
            new RecordingOptions { Names = EdgeGradients.Places(Nodes.Parts), Gradients = true });
        recording.Backward(target.Of(recording.Output!).mean());
        Forwards++;
        Backwards++;
        var change = (corruptedOutputs - cleanOutputs).flatten(1);                 // [sender, example · time · channels]
        var found = new List<(Receiver, double[])>();
        foreach (var (receivers, gradients) in EdgeGradients.Of(Nodes, recording))
        {
            var before = receivers[0].Senders;
            using var effects = gradients.flatten(1).matmul(change.narrow(0, 0, before).t()).to(float64).cpu();
            var numbers = effects.data<double>().ToArray();                        // [receiver, sender]
            found.AddRange(receivers.Select((receiver, row) => (receiver, numbers[(row * before)..((row + 1) * before)])));
        }
        return found;
    }
}
