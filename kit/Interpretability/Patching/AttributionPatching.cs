using System.Diagnostics;
using ResearchKit.Results;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Attribution patching: a linear approximation of activation patching, from one backward pass for all cells.</summary>
/// <remarks>
/// Nanda, 2023, https://www.neelnanda.io/mechanistic-interpretability/attribution-patching. A cell is (source - patched) ·
/// gradient, the gradient being that of the run which is patched. It is exact where the target is linear in the activation; else
/// its error is of second order in the difference of the inputs.
/// </remarks>
public static class AttributionPatching
{
    /// <summary>Estimates what <see cref="ActivationPatching.Patch"/> would give.</summary>
    /// <inheritdoc cref="ActivationPatching.Patch" path="/param"/>
    /// <param name="model">A transformer of the kit that reads one tensor.</param>
    /// <param name="source">Input from which activations are taken.</param>
    /// <param name="patched">Input whose run is patched, of the same shape.</param>
    /// <param name="target">What is measured; the mean over the examples.</param>
    /// <param name="site">Which activation is patched.</param>
    /// <returns>[layer, position] or [layer, head]: the estimated target after the patch.</returns>
    /// <exception cref="ArgumentException">
    /// The inputs have different shapes, the model has no such site, or the target is not a number.
    /// </exception>
    public static Grid EstimatePatch(
        this Module<Tensor, Tensor> model, Tensor source, Tensor patched, Target target, PatchSite site)
    {
        PatchSites.CheckShapes(source, patched);
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        var parts = TransformerParts.Of(model);
        var places = parts.Layers.Select(layer => PatchSites.Place(model, layer, site)).ToList();
        using var from = model.Record(source, new RecordingOptions { Names = places });
        using var to = model.Record(patched, new RecordingOptions { Names = places, Gradients = true });
        var value = target.Values(to.Output!).Average();
        to.Backward(target.Of(to.Output!).mean());
        var columns = (int)to[places[0]].shape[1];
        var grid = new double[places.Count, columns];
        for (var layer = 0; layer < places.Count; layer++)
        {
            var effect = ((from[places[layer]] - to[places[layer]]) * to.Gradient(places[layer])).to(float64);
            long[] rest = [.. Enumerable.Range(0, (int)effect.dim()).Where(axis => axis != 1)];   // all but position or head
            var sums = effect.sum(rest).cpu().data<double>().ToArray();
            for (var column = 0; column < columns; column++) grid[layer, column] = value + sums[column];
        }
        return new Grid($"{target.Name} after patching {PatchSites.Words(site)}, estimated", target.Unit,
            [.. Enumerable.Range(0, places.Count).Select(layer => $"{layer}")],
            [.. Enumerable.Range(0, columns).Select(column => $"{column}")], grid)
        {
            RowAxis = "layer",
            ColumnAxis = PatchSites.IsOfHeads(site) ? "head" : "position",
            Evidence = new Evidence
            {
                ForwardPasses = 2,
                BackwardPasses = 1,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = from.Bytes + (3 * to.Bytes),
                Notes = ["linear approximation"],
            },
        };
    }
}
