using System.Diagnostics;
using System.Globalization;
using ResearchKit.Models;
using ResearchKit.Results;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// Activation patching: a model reads one input, one of its activations is replaced by that of another input, and a target shows
/// what changes.
/// </summary>
/// <remarks>
/// Meng et al., 2022, https://arxiv.org/abs/2202.05262 (causal tracing); Heimersheim and Nanda, 2024,
/// https://arxiv.org/abs/2404.15255. Only what a patch can change is computed again, in batches.
/// </remarks>
public static class ActivationPatching
{
    private const double Tolerance = 1e-5;

    /// <summary>Patches one activation of every layer, at every position or of every head.</summary>
    /// <param name="model">A transformer of the kit that reads one tensor.</param>
    /// <param name="source">Input from which activations are taken, such as clean tokens, int64 [example, time].</param>
    /// <param name="patched">Input whose run is patched, such as corrupted tokens, of the same shape.</param>
    /// <param name="target">What is measured; the mean over the examples.</param>
    /// <param name="site">Which activation is patched.</param>
    /// <param name="options">How the sweep runs.</param>
    /// <param name="progress">Receives the share that is done.</param>
    /// <param name="cancellation">Ends the sweep between passes.</param>
    /// <returns>
    /// [layer, position] or [layer, head]: the target after the patch. The evidence compares a patch of the whole stream with the
    /// source run.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The inputs have different shapes, a position lies outside, the model has no such site, or the target is not a number.
    /// </exception>
    public static Grid Patch(this Module<Tensor, Tensor> model, Tensor source, Tensor patched, Target target, PatchSite site,
        PatchingOptions? options = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        options = (options ?? new PatchingOptions()).Validated();
        PatchSites.CheckShapes(source, patched);
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        var parts = TransformerParts.Of(model);
        var places = parts.Layers.Select(layer => PatchSites.Place(model, layer, site)).ToList();
        var check = parts.Layers[parts.Layers.Count / 2].Begin;
        string[] names = [.. places, check];
        using var runs = model is ILayeredDecoder && !options.WholeForwards
            ? new LayeredPatchRuns(model, parts, source, patched, target, names, options.TokensAtOnce)
            : new PatchRuns(model, source, patched, target, names, [check], options.TokensAtOnce);
        var columns = Columns(runs.Source(places[0]), site, options);
        var chosen = options.Positions is null ? null : Inside(options.Positions, runs.Source(places[0]));
        var cells = places.SelectMany((place, layer) => columns.Select(column => PatchSites.IsOfHeads(site)
            ? new PatchCell(layer, place, null, column, chosen) : new PatchCell(layer, place, column, null))).ToList();
        var whole = new PatchCell(parts.Layers.Count / 2, check, null, null);
        var values = runs.Values([.. cells, whole], progress, cancellation);
        return Result(runs, values, (parts.Layers.Count, columns), target, site, options, watch);
    }

    private static Grid Result(PatchRuns runs, double[] values, (int Layers, List<int> Columns) size, Target target,
        PatchSite site, PatchingOptions options, Stopwatch watch)
    {
        var (low, high) = (runs.PatchedValue, runs.SourceValue);
        if (options.Normalized && low == high)
            throw new ArgumentException(
                $"The target '{target.Name}' is {low} in both runs, so there is no share of the difference.", nameof(target));
        var grid = new double[size.Layers, size.Columns.Count];
        for (var cell = 0; cell < grid.Length; cell++)
            grid[cell / size.Columns.Count, cell % size.Columns.Count] =
                options.Normalized ? (values[cell] - low) / (high - low) : values[cell];
        return new Grid($"{target.Name} after patching {PatchSites.Words(site)}", options.Normalized ? "" : target.Unit,
            [.. Enumerable.Range(0, size.Layers).Select(layer => $"{layer}")],
            [.. size.Columns.Select(column => $"{column}")], grid)
        {
            RowAxis = "layer",
            ColumnAxis = PatchSites.IsOfHeads(site) ? "head" : "position",
            Evidence = new Evidence
            {
                Law = "a patch of the whole stream gives the source run's value",
                Error = Math.Abs(values[^1] - high) / Math.Max(1, Math.Abs(high)),
                Tolerance = Tolerance,
                ForwardPasses = runs.Forwards,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = runs.Bytes,
                Notes = [string.Create(CultureInfo.InvariantCulture,
                    $"{high:g4} in the source run and {low:g4} without a patch")],
            },
        };
    }

    private static List<int> Columns(Tensor recorded, PatchSite site, PatchingOptions options)
    {
        if (PatchSites.IsOfHeads(site)) return [.. Enumerable.Range(0, (int)recorded.shape[1])];
        return options.Positions is null ? [.. Enumerable.Range(0, (int)recorded.shape[1])] : Inside(options.Positions, recorded);
    }

    private static List<int> Inside(IReadOnlyList<int> positions, Tensor recorded)
    {
        var time = (int)recorded.shape[recorded.dim() == 4 ? 2 : 1];
        return [.. positions.Select(position => position >= -time && position < time ? (position + time) % time
            : throw new ArgumentException($"There is no position {position}; the text has {time} tokens."))];
    }
}
