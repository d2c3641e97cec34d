using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How the effect of a feature is computed.</summary>
public sealed record FeatureEffectOptions
{
    /// <summary>Largest number of grid points or bins.</summary>
    public int GridPoints { get; init; } = 50;

    /// <summary>The grid itself, ascending; null for quantiles of the rows.</summary>
    public IReadOnlyList<double>? Grid { get; init; }

    /// <summary>Number of the output of the model.</summary>
    public int Output { get; init; }

    /// <summary>Rows whose individual curves are kept (ICE); partial dependence only.</summary>
    public int IndividualCurves { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Stops the work between two batches.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>How the output of a model depends on one feature.</summary>
/// <param name="Method">How it was computed.</param>
/// <param name="Feature">Name of the feature.</param>
/// <param name="Grid">Values of the feature, ascending.</param>
/// <param name="Values">The effect at each value.</param>
public sealed record FeatureEffect(string Method, string Feature, IReadOnlyList<double> Grid, IReadOnlyList<double> Values)
{
    /// <summary>Curves of single rows, [row][grid]; empty if none were asked for.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Individuals { get; init; } = [];

    /// <summary>Rows between each two grid values (ALE); empty for other methods.</summary>
    public IReadOnlyList<int> Counts { get; init; } = [];

    /// <summary>
    /// Partial dependence: the mean output when the feature is set to a value in every row. Where features depend on each other,
    /// it asks the model about rows that do not occur; see <see cref="AccumulatedLocalEffects"/>.
    /// </summary>
    /// <param name="model">Takes [rows, features]; returns [rows] or [rows, outputs].</param>
    /// <param name="x">Rows, [rows, features].</param>
    /// <param name="feature">Number of the feature.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <remarks>Friedman, 2001; Goldstein et al., 2015 (ICE), https://arxiv.org/abs/1309.6392.</remarks>
    /// <exception cref="ArgumentException">The feature is constant, or the shapes do not fit.</exception>
    public static FeatureEffect PartialDependence(Func<Tensor, Tensor> model, Tensor x, int feature,
        FeatureEffectOptions? options = null)
    {
        var known = options ?? new FeatureEffectOptions();
        var (rows, name, grid, called) = Prepared(model, x, feature, known);
        Tensors.Require.AtLeast(0, known.IndividualCurves);
        var values = new double[grid.Length];
        var kept = Math.Min(known.IndividualCurves, rows.Length);
        var curves = Enumerable.Range(0, kept).Select(_ => new double[grid.Length]).ToArray();
        for (var at = 0; at < grid.Length; at++)
        {
            var outputs = called.Call(Array.ConvertAll(rows, row => With(row, feature, grid[at])), known.Output,
                known.Cancellation);
            values[at] = outputs.Average();
            for (var curve = 0; curve < kept; curve++) curves[curve][at] = outputs[(int)((long)curve * rows.Length / kept)];
        }
        return new FeatureEffect("partial dependence", name, grid, values) { Individuals = curves };
    }

    /// <summary>
    /// Accumulated local effects (ALE): mean differences of the output between the edges of the bin of each row, summed up. The
    /// mean over the rows is 0. It asks the model only about values close to those that occur together.
    /// </summary>
    /// <param name="model">Takes [rows, features]; returns [rows] or [rows, outputs].</param>
    /// <param name="x">Rows, [rows, features].</param>
    /// <param name="feature">Number of the feature.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <remarks>Apley and Zhu, 2020, https://arxiv.org/abs/1612.08468.</remarks>
    /// <exception cref="ArgumentException">The feature is constant, or the shapes do not fit.</exception>
    public static FeatureEffect AccumulatedLocalEffects(Func<Tensor, Tensor> model, Tensor x, int feature,
        FeatureEffectOptions? options = null)
    {
        var known = options ?? new FeatureEffectOptions();
        var (rows, name, edges, called) = Prepared(model, x, feature, known);
        // rows outside of a given grid count for its first or last bin
        var bins = Array.ConvertAll(rows, row => Math.Clamp(ShapeFunction.Bin(edges, row[feature]) - 1, 0, edges.Length - 2));
        var high = called.Call([.. rows.Select((row, at) => With(row, feature, edges[bins[at] + 1]))], known.Output,
            known.Cancellation);
        var low = called.Call([.. rows.Select((row, at) => With(row, feature, edges[bins[at]]))], known.Output,
            known.Cancellation);
        var (sums, counts) = (new double[edges.Length - 1], new int[edges.Length - 1]);
        for (var row = 0; row < rows.Length; row++)
        {
            sums[bins[row]] += high[row] - low[row];
            counts[bins[row]]++;
        }
        var values = new double[edges.Length];
        for (var bin = 0; bin < counts.Length; bin++)
            values[bin + 1] = values[bin] + (counts[bin] == 0 ? 0 : sums[bin] / counts[bin]);
        var mean = Enumerable.Range(0, counts.Length).Sum(bin => counts[bin] * (values[bin] + values[bin + 1]) / 2) / rows.Length;
        return new FeatureEffect("accumulated local effects", name, edges, Array.ConvertAll(values, value => value - mean))
        {
            Counts = counts,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Method} of {Feature}: from {Values.Min():G4} to {Values.Max():G4} at {Grid.Count} values from {Grid[0]:G4} to {Grid[^1]:G4}");

    private static (double[][] Rows, string Name, double[] Grid, BatchedModel Model) Prepared(
        Func<Tensor, Tensor> model, Tensor x, int feature, FeatureEffectOptions options)
    {
        var rows = Examples.Rows(x);
        Examples.Feature(feature, rows[0].Length);
        Tensors.Require.AtLeast(2, options.GridPoints);
        var name = Examples.Names(options.FeatureNames, rows[0].Length)[feature];
        var grid = options.Grid is { } given ? [.. given] : Quantiles(Array.ConvertAll(rows, row => row[feature]),
            options.GridPoints);
        if (grid.Length < 2)
            throw new ArgumentException(FormattableString.Invariant($"Feature '{name}' is {rows[0][feature]} in all rows; it has no effect to show."));
        if (Enumerable.Range(1, grid.Length - 1).Any(at => !(grid[at] > grid[at - 1])))
            throw new ArgumentException("The grid is not ascending.", nameof(options));
        var called = new BatchedModel(model, x);
        called.RequireOutput(options.Output);
        return (rows, name, grid, called);
    }

    /// <summary>Distinct quantiles, from the smallest to the largest value; all values if there are few.</summary>
    private static double[] Quantiles(double[] values, int most)
    {
        Array.Sort(values);
        var distinct = values.Distinct().ToArray();
        return distinct.Length <= most ? distinct : [.. Enumerable.Range(0, most)
            .Select(at => values[(int)Math.Round(at * (values.Length - 1.0) / (most - 1))]).Distinct()];
    }

    private static double[] With(double[] row, int feature, double value)
    {
        var changed = (double[])row.Clone();
        changed[feature] = value;
        return changed;
    }
}
