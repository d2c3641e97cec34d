using System.Diagnostics;
using System.Globalization;
using ResearchKit.Models;
using ResearchKit.Results;
using ResearchKit.Tensors;
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
        if (!source.shape.SequenceEqual(patched.shape))
            throw new ArgumentException($"The source is {source.ShapeText()} and the patched input {patched.ShapeText()}; "
                + "expected the same shape.", nameof(patched));
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        var parts = TransformerParts.Of(model);
        var places = parts.Layers.Select(layer => PlaceOf(model, parts, layer, site)).ToList();
        var check = parts.Layers[parts.Layers.Count / 2].Begin;
        string[] names = [.. places, check];
        using var runs = model is ILayeredDecoder && !options.WholeForwards
            ? new LayeredPatchRuns(model, parts, source, patched, target, names, options.TokensAtOnce)
            : new PatchRuns(model, source, patched, target, names, [check], options.TokensAtOnce);
        var columns = Columns(runs.Source(places[0]), site, options);
        var chosen = options.Positions is null ? null : Inside(options.Positions, runs.Source(places[0]));
        var cells = places.SelectMany((place, layer) => columns.Select(column => IsOfHeads(site)
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
            throw new ArgumentException($"The target '{target.Name}' is {low} in both runs, so that there is no share of the difference.");
        var grid = new double[size.Layers, size.Columns.Count];
        for (var cell = 0; cell < grid.Length; cell++)
            grid[cell / size.Columns.Count, cell % size.Columns.Count] =
                options.Normalized ? (values[cell] - low) / (high - low) : values[cell];
        return new Grid($"{target.Name} after patching {Words(site)}", options.Normalized ? "" : target.Unit,
            [.. Enumerable.Range(0, size.Layers).Select(layer => $"{layer}")], [.. size.Columns.Select(column => $"{column}")], grid)
        {
            RowAxis = "layer",
            ColumnAxis = IsOfHeads(site) ? "head" : "position",
            Evidence = new Evidence
            {
                Law = "a patch of the whole stream gives the source run's value",
                Error = Math.Abs(values[^1] - high) / Math.Max(1, Math.Abs(high)),
                Tolerance = Tolerance,
                ForwardPasses = runs.Forwards,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = runs.Bytes,
                Notes = [string.Create(CultureInfo.InvariantCulture, $"{high:g4} in the source run and {low:g4} without a patch")],
            },
        };
    }

    private static bool IsOfHeads(PatchSite site) => site >= PatchSite.HeadOut;

    private static string Words(PatchSite site) => site switch
    {
        PatchSite.ResidualPre => "the stream before a layer",
        PatchSite.ResidualMid => "the stream before an MLP",
        PatchSite.ResidualPost => "the stream after a layer",
        PatchSite.AttentionOut => "the output of attention",
        PatchSite.MlpOut => "the output of an MLP",
        PatchSite.HeadOut => "the output of a head",
        PatchSite.Query => "the queries of a head",
        PatchSite.Key => "the keys of a head",
        PatchSite.Value => "the values of a head",
        _ => "the pattern of a head",
    };

    private static string PlaceOf(nn.Module model, TransformerParts parts, LayerParts layer, PatchSite site)
    {
        var attention = layer.Branches[0];
        var name = site switch
        {
            PatchSite.ResidualPre => layer.Begin,
            PatchSite.ResidualMid => $"{layer.Name}.hook_resid_mid",
            PatchSite.ResidualPost => layer.End,
            PatchSite.AttentionOut => attention.Output,
            PatchSite.MlpOut => layer.Branches[^1] is { IsAttention: false } mlp ? mlp.Output
                : throw new ArgumentException($"{model.GetName()} has no MLP to patch."),
            PatchSite.HeadOut => attention.Inner,
            PatchSite.Query => $"{attention.Module}.hook_q",
            PatchSite.Key => $"{attention.Module}.hook_k",
            PatchSite.Value => $"{attention.Module}.hook_v",
            _ => $"{attention.Module}.hook_pattern",
        };
        return Places.Named(model, name).Name;
    }

    private static List<int> Columns(Tensor recorded, PatchSite site, PatchingOptions options)
    {
        if (IsOfHeads(site)) return [.. Enumerable.Range(0, (int)recorded.shape[1])];
        return options.Positions is null ? [.. Enumerable.Range(0, (int)recorded.shape[1])] : Inside(options.Positions, recorded);
    }

    private static List<int> Inside(IReadOnlyList<int> positions, Tensor recorded)
    {
        var time = (int)recorded.shape[recorded.dim() == 4 ? 2 : 1];
        return [.. positions.Select(position => position >= -time && position < time ? (position + time) % time
            : throw new ArgumentException($"There is no position {position}; the text has {time} tokens."))];
    }
}
