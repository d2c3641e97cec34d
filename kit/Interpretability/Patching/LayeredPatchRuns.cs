using ResearchKit.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// A sweep that recomputes only what a patch can change: the layers from the patched one on, at the positions from the patched
/// one on. Cells of one position share their passes.
/// </summary>
/// <remarks>
/// A patch of the stream or of an MLP's output enters before the next layer. In the last layer, if the target reads the last
/// position alone, only that one has a query.
/// </remarks>
internal sealed class LayeredPatchRuns(Module<Tensor, Tensor> model, TransformerParts parts, Tensor sourceInput, Tensor input,
    Target target, IReadOnlyList<string> names, int tokensAtOnce)
    : PatchRuns(model, sourceInput, input, target, names, [.. names, .. Streams(parts)], tokensAtOnce)
{
    private readonly ILayeredDecoder decoder = (ILayeredDecoder)model;
    private readonly int time = (int)input.shape[1];

    /// <inheritdoc/>
    public override double[] Values(
        IReadOnlyList<PatchCell> cells, IProgress<double>? progress, CancellationToken cancellation)
    {
        var values = new Dictionary<PatchCell, double>(ReferenceEqualityComparer.Instance);
        foreach (var group in cells.GroupBy(cell => cell.Start))
        {
            var rows = Math.Max(1, tokensAtOnce / (int)((time - group.Key) * input.shape[0]));
            foreach (var chunk in group.OrderBy(Entry).Chunk(rows))
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                using var noGrad = no_grad();
                var (order, logits) = Run(chunk, group.Key);
                foreach (var (cell, value) in order.Zip(Means(logits))) values[cell] = value;
                progress?.Report((double)values.Count / cells.Count);
            }
        }
        return [.. cells.Select(cell => values[cell])];
    }

    private static IEnumerable<string> Streams(TransformerParts parts) => parts.Layers.SelectMany(layer =>
        new[] { layer.Begin, layer.End, $"{layer.Branches[0].Module}.hook_k", $"{layer.Branches[0].Module}.hook_v" });

    /// <summary>The first layer that runs for a cell; the number of layers if none does.</summary>
    private static int Entry(PatchCell cell) => cell.Layer + (EntersAfter(cell) ? 1 : 0);

    private static bool EntersAfter(PatchCell cell) => cell.Place.EndsWith("hook_resid_post", StringComparison.Ordinal)
        || cell.Place.EndsWith("hook_mlp_out", StringComparison.Ordinal);

    private static bool IsInside(PatchCell cell) =>
        !EntersAfter(cell) && !cell.Place.EndsWith("hook_resid_pre", StringComparison.Ordinal);

    /// <summary>Runs cells that begin at one position, layer by layer; each joins at its own layer.</summary>
    private (List<PatchCell> Order, Tensor Logits) Run(PatchCell[] cells, int start)
    {
        var order = new List<PatchCell>();
        Tensor? stream = null;
        var pass = decoder.PassFrom(start, time - start, patched[parts.Layers[0].Begin], Earlier(start));
        for (var layer = 0; layer <= decoder.LayerCount; layer++)
        {
            var entering = cells.Where(cell => Entry(cell) == layer).OrderBy(IsInside).ToList();
            if (entering.Count > 0)
                stream = cat([.. stream is null ? [] : new[] { stream },
                    .. entering.Select(cell => Entering(cell, layer, start))]);
            order.AddRange(entering);
            if (layer == decoder.LayerCount || stream is null) continue;
            var inside = entering.Where(IsInside).ToList();
            stream = inside.Count > 0 ? Hooked(layer, stream, pass, inside, (order.Count - inside.Count) * input.shape[0], start)
                : layer == decoder.LayerCount - 1 && target.ReadsLastOnly && !cells.Any(cell => Entry(cell) > layer)
                    ? Last(layer, stream, start, pass) : decoder.RunLayer(layer, stream, pass);
        }
        Forwards++;
        return (order, Logits(stream!, start));
    }

    /// <summary>The stream of the patched run where a cell joins, with the patch if it is one of the stream.</summary>
    private Tensor Entering(PatchCell cell, int layer, int start)
    {
        var name = EntersAfter(cell) ? parts.Layers[cell.Layer].End : parts.Layers[layer].Begin;
        var stream = patched[name].narrow(1, start, time - start).clone();
        if (IsInside(cell)) return stream;
        if (!cell.Place.EndsWith("hook_mlp_out", StringComparison.Ordinal))
        {
            cell.Write(stream, source[cell.Place], start);
            return stream;
        }
        var change = zeros_like(stream);
        cell.Write(change, source[cell.Place] - patched[cell.Place], start);
        return stream + change;
    }

    /// <summary>A layer in which the rows of some cells are patched.</summary>
    private Tensor Hooked(int layer, Tensor stream, DecoderPass pass, List<PatchCell> inside, long first, int start)
    {
        var removals = new List<Action>();
        try
        {
            var row = first;
            foreach (var group in inside.GroupBy(cell => cell.Place))
            {
                var own = group.ToList();
                var at = row;
                removals.Add(Places.Named(model, group.Key).Module
                    .register_forward_hook((_, _, output) => Patched(output, own, at, start)).remove);
                row += own.Count * input.shape[0];
            }
            return decoder.RunLayer(layer, stream, pass);
        }
        finally
        {
            foreach (var remove in removals) remove();
        }
    }

    /// <summary>The last layer at the last position alone: the other positions have keys and values only.</summary>
    private Tensor Last(int layer, Tensor stream, int start, DecoderPass pass)
    {
        var count = time - start;
        if (count == 1) return decoder.RunLayer(layer, stream, pass);
        var before = stream.narrow(1, 0, count - 1);
        var (_, keys, values) = decoder.ReadHeads(layer, before, decoder.PassFrom(start, count - 1, stream, null));
        if (pass.Earlier is { } earlier) (keys, values) = earlier.Extend(layer, keys, values);
        var layers = Enumerable.Repeat((keys, values), layer + 1).ToList();
        return decoder.RunLayer(layer, stream.narrow(1, count - 1, 1),
            decoder.PassFrom(time - 1, 1, stream, new EarlierTokens(layers)));
    }

    private EarlierTokens? Earlier(int start) => start == 0 ? null : new EarlierTokens([.. parts.Layers.Select(layer =>
        (patched[$"{layer.Branches[0].Module}.hook_k"].narrow(2, 0, start),
            patched[$"{layer.Branches[0].Module}.hook_v"].narrow(2, 0, start)))]);

    /// <summary>Logits at the positions that the target reads; those before the patch are the patched run's.</summary>
    private Tensor Logits(Tensor stream, int start)
    {
        if (target.ReadsLastOnly) return decoder.Finish(stream.narrow(1, stream.shape[1] - 1, 1));
        var logits = decoder.Finish(stream);
        if (start == 0) return logits;
        var before = patched.Output!.narrow(1, 0, start);
        return cat([before.repeat(logits.shape[0] / before.shape[0], 1, 1), logits], 1);
    }
}
