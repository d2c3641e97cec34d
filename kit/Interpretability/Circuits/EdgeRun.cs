using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// Runs a model in which some edges carry what the sender wrote in another run; all other edges carry what it writes in this
/// one. Every reader has its own norm, queries, keys and values, computed from what it reads.
/// </summary>
internal sealed class EdgeRun
{
    private readonly Module<Tensor, Tensor> model;
    private readonly CircuitNodes nodes;
    private readonly Tensor others;                      // [sender, batch, time, channels]
    private readonly Dictionary<Receiver, Tensor> masks;  // [sender before it], 1 where the edge carries the other run's value
    private readonly List<Tensor> current = [];           // outputs of the senders in this run
    private Tensor? stream;                               // before the layer that runs

    /// <param name="model">The model.</param>
    /// <param name="nodes">Its nodes.</param>
    /// <param name="others">Outputs of the senders in the other run.</param>
    /// <param name="chosen">For each receiver the indexes of the senders whose edges carry the other run's value.</param>
    public EdgeRun(Module<Tensor, Tensor> model, CircuitNodes nodes, Tensor others,
        IReadOnlyDictionary<Receiver, IReadOnlyList<int>> chosen)
    {
        this.model = model;
        this.nodes = nodes;
        this.others = others;
        masks = chosen.Where(pair => pair.Value.Count > 0).ToDictionary(pair => pair.Key, pair => Mask(pair.Key, pair.Value));
    }

    /// <summary>Runs the model.</summary>
    /// <returns>Its logits.</returns>
    public Tensor Logits(Tensor input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var removals = new List<Action>();
        void At(string name, Func<Tensor, Tensor> change) => removals.Add(Places.Named(model, name).Module
            .register_forward_hook((_, _, output) => change(output)).remove);
        try
        {
            foreach (var layer in nodes.Parts.Layers) Watch(layer, At);
            var output = nodes.Receivers[^1];
            At(nodes.Parts.Layers[^1].End, x => masks.TryGetValue(output, out var mask) ? x + Change(mask) : x);
            return model.call(input).MoveToOuterDisposeScope();
        }
        finally
        {
            foreach (var remove in removals) remove();
            foreach (var tensor in current) tensor.Dispose();
            stream?.Dispose();
        }
    }

    private void Watch(LayerParts layer, Action<string, Func<Tensor, Tensor>> at)
    {
        var attention = layer.Branches[0];
        at(layer.Begin, x =>
        {
            stream?.Dispose();
            stream = x.alias().DetachFromDisposeScope();
            if (layer.Index == 0) current.Add(x.alias().DetachFromDisposeScope());
            return x;
        });
        foreach (var (input, part) in new[] { ("q", 0), ("k", 1), ("v", 2) })
        {
            var receivers = masks.Keys.Where(one => one.Layer == layer.Index && one.Input == input).ToList();
            if (receivers.Count > 0) at($"{attention.Module}.hook_{input}", x => Reread(layer.Index, part, receivers, x));
        }
        at(attention.Inner, z =>
        {
            foreach (var output in nodes.HeadOutputs(attention, z)) current.Add(output.DetachFromDisposeScope());
            return z;
        });
        if (layer.Branches.Count < 2) return;
        var mlp = nodes.Receivers.First(one => one.Layer == layer.Index && one.Head is null);
        if (masks.TryGetValue(mlp, out var mask)) at(layer.Branches[1].Input, x => x + Change(mask));
        at(layer.Branches[1].Output, x =>
        {
            current.Add(x.alias().DetachFromDisposeScope());
            return x;
        });
    }

    /// <summary>Computes the queries, keys or values of some heads again, each from what it reads.</summary>
    private Tensor Reread(int layer, int part, List<Receiver> receivers, Tensor before)
    {
        var (batch, time, channels) = (stream!.shape[0], stream.shape[1], stream.shape[2]);
        var read = stack(receivers.Select(receiver => stream + Change(masks[receiver]))).view(-1, time, channels);
        var heads = nodes.Decoder.ReadHeads(layer, read, nodes.Decoder.PassFrom(0, time, read, null));
        var all = (part == 0 ? heads.Queries : part == 1 ? heads.Keys : heads.Values)
            .unflatten(0, receivers.Count, batch);                                  // [receiver, batch, head, time, d_head]
        var after = before.clone();
        for (var i = 0; i < receivers.Count; i++)
            after.select(1, receivers[i].Head!.Value).copy_(all[i].select(1, receivers[i].Head!.Value));
        return after;
    }

    /// <summary>The sum of (other run - this run) over the chosen senders, [batch, time, channels].</summary>
    private Tensor Change(Tensor mask)
    {
        var count = mask.shape[0];
        var difference = others.narrow(0, 0, count) - stack(current.Take((int)count));
        return (mask.view(-1, 1, 1, 1) * difference).sum(dim: 0);
    }

    private Tensor Mask(Receiver receiver, IReadOnlyList<int> senders)
    {
        var mask = new double[receiver.Senders];
        foreach (var sender in senders) mask[sender] = 1;
        return tensor(mask, others.dtype, others.device);
    }
}
