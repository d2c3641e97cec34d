using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>What writes to the residual stream: the embeddings, a head, or an MLP.</summary>
/// <param name="Name">Its name: <c>input</c>, <c>a1.h3</c> or <c>m1</c>.</param>
/// <param name="Layer">Its layer; -1 for the embeddings.</param>
/// <param name="Head">Its head; null for an MLP and the embeddings.</param>
internal sealed record Sender(string Name, int Layer, int? Head);

/// <summary>What reads the residual stream: the queries, keys or values of a head, an MLP, or the output.</summary>
/// <param name="Name">Name of its node: <c>a1.h3</c>, <c>m1</c> or <c>logits</c>.</param>
/// <param name="Input">Which of its inputs: <c>q</c>, <c>k</c>, <c>v</c>; empty if it has one.</param>
/// <param name="Layer">Its layer; the number of layers for the output.</param>
/// <param name="Head">Its head, for keys and values of grouped queries the key head; null for an MLP and the output.</param>
/// <param name="Senders">Number of senders before it, which are the first of all.</param>
internal sealed record Receiver(string Name, string Input, int Layer, int? Head, int Senders);

/// <summary>
/// The nodes of a decoder as a graph of computation: every earlier one has an edge to every later one.
/// </summary>
internal sealed class CircuitNodes
{
    public CircuitNodes(TransformerParts parts, ILayeredDecoder decoder, int keyHeads)
    {
        Parts = parts;
        Decoder = decoder;
        KeyHeads = keyHeads;
        var senders = new List<Sender> { new("input", -1, null) };
        var receivers = new List<Receiver>();
        foreach (var layer in parts.Layers)
        {
            var before = senders.Count;
            foreach (var (input, heads) in new[] { ("q", parts.Heads), ("k", keyHeads), ("v", keyHeads) })
                receivers.AddRange(Enumerable.Range(0, heads)
                    .Select(head => new Receiver($"a{layer.Index}.h{head}", input, layer.Index, head, before)));
            senders.AddRange(Enumerable.Range(0, parts.Heads)
                .Select(head => new Sender($"a{layer.Index}.h{head}", layer.Index, head)));
            if (layer.Branches.Count < 2) continue;
            receivers.Add(new($"m{layer.Index}", "", layer.Index, null, senders.Count));
            senders.Add(new($"m{layer.Index}", layer.Index, null));
        }
        receivers.Add(new("logits", "", parts.Layers.Count, null, senders.Count));
        Senders = senders;
        Receivers = receivers;
    }

    public TransformerParts Parts { get; }

    public ILayeredDecoder Decoder { get; }

    /// <summary>Number of key and value heads of a layer.</summary>
    public int KeyHeads { get; }

    public IReadOnlyList<Sender> Senders { get; }

    public IReadOnlyList<Receiver> Receivers { get; }

    /// <summary>Hook points that the outputs of the senders are read from.</summary>
    public IReadOnlyList<string> SenderPlaces => [Parts.Layers[0].Begin,
        .. Parts.Layers.SelectMany(layer => layer.Branches.Select(branch => branch.IsAttention ? branch.Inner : branch.Output))];

    /// <summary>The outputs of all senders in a recorded run, [sender, batch, time, channels].</summary>
    public Tensor Outputs(ActivationCache recording)
    {
        using var scope = NewDisposeScope();
        var outputs = new List<Tensor> { recording[Parts.Layers[0].Begin] };
        foreach (var branch in Parts.Layers.SelectMany(layer => layer.Branches))
        {
            if (branch.IsAttention) outputs.AddRange(HeadOutputs(branch, recording[branch.Inner]));
            else outputs.Add(recording[branch.Output]);
        }
        return stack(outputs).MoveToOuterDisposeScope();
    }

    /// <summary>What each head writes to the stream.</summary>
    /// <param name="attention">The branch.</param>
    /// <param name="z">[batch, head, time, d_head].</param>
    /// <returns>[batch, time, channels] for each head, without the bias.</returns>
    public IEnumerable<Tensor> HeadOutputs(BranchParts attention, Tensor z)
    {
        var width = z.shape[^1];
        for (var head = 0; head < Parts.Heads; head++)
            yield return z.select(1, head).matmul(attention.Weight.detach().narrow(0, head * width, width));
    }
}
