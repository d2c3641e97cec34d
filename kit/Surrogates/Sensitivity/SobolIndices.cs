using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How sensitivity indices are computed.</summary>
public sealed record SensitivityOptions
{
    /// <summary>Base points of the Sobol sequence, a power of two; the function is called (inputs + 2) times as often.</summary>
    public int BasePoints { get; init; } = 4096;

    /// <summary>Resamples of the base points, for the standard deviations of the indices; 0 for none.</summary>
    public int Resamples { get; init; } = 100;

    /// <summary>Trajectories of the elementary effects, each of (inputs + 1) points.</summary>
    public int Trajectories { get; init; } = 20;

    /// <summary>Levels of the grid of the elementary effects, an even number.</summary>
    public int Levels { get; init; } = 4;

    /// <summary>Number of the output that is analysed.</summary>
    public int Output { get; init; }

    /// <summary>Seed of a shift of the points, of the trajectories and of the resamples; null for no shift.</summary>
    public int? Seed { get; init; }

    /// <summary>Names of the inputs; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Stops the work between two batches.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>Shares of the variance of a function by its inputs, which are independent and uniform.</summary>
/// <param name="FeatureNames">Names of the inputs.</param>
/// <param name="First">First-order indices: the share of the variance that an input explains alone.</param>
/// <param name="Total">Total indices: the share that vanishes if all inputs but this one are known.</param>
/// <param name="FirstDeviations">Standard deviations of the first-order indices; empty without resamples.</param>
/// <param name="TotalDeviations">Standard deviations of the total indices; empty without resamples.</param>
/// <param name="Variance">Variance of the function.</param>
/// <param name="Evaluations">Points at which the function was computed.</param>
/// <remarks>
/// Sobol, 1993; the estimators of Saltelli et al., 2010 (first order) and Jansen, 1999 (total). An index may be a little below 0.
/// </remarks>
public sealed record SobolIndices(IReadOnlyList<string> FeatureNames, IReadOnlyList<double> First, IReadOnlyList<double> Total,
    IReadOnlyList<double> FirstDeviations, IReadOnlyList<double> TotalDeviations, double Variance, long Evaluations)
{
    /// <summary>Computes the indices.</summary>
    /// <param name="function">Takes float64 [points, inputs]; returns [points] or [points, outputs].</param>
    /// <param name="ranges">Lowest and highest value of each input.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">A range is empty, or the function is constant or returns no finite number.</exception>
    public static SobolIndices Compute(Func<Tensor, Tensor> function, IReadOnlyList<(double Low, double High)> ranges,
        SensitivityOptions? options = null)
    {
        var known = options ?? new SensitivityOptions();
        Tensors.Require.AtLeast(2, known.BasePoints);
        Tensors.Require.AtLeast(0, known.Resamples);
        Tensors.Require.That(System.Numerics.BitOperations.IsPow2(known.BasePoints), known.BasePoints, nameof(known.BasePoints),
            "a power of two");
        var cube = new InputRanges(ranges, known.FeatureNames);
        Tensors.Require.That(2 * cube.Count <= SobolSequence.MaxDimensions, cube.Count, "The number of inputs",
            $"at most {SobolSequence.MaxDimensions / 2}");
        var model = cube.Model(function, known.Output);
        var points = SobolSequence.Rows(known.BasePoints, 2 * cube.Count, known.Seed);
        double[] Call(Func<double[], double[]> point) =>
            model.Call(Array.ConvertAll(points, both => cube.Scaled(point(both))), known.Output, known.Cancellation);
        var a = Call(both => both[..cube.Count]);
        var b = Call(both => both[cube.Count..]);
        var mixed = Enumerable.Range(0, cube.Count).Select(input => Call(both =>
        {
            var point = both[..cube.Count];
            point[input] = both[cube.Count + input];
            return point;
        })).ToArray();
        var all = Enumerable.Range(0, points.Length).ToArray();
        var (first, total, variance) = Indices(a, b, mixed, all);
        if (!(variance > 0)) throw new ArgumentException("The function is constant on these ranges; it has no indices.",
            nameof(function));
        var (firsts, totals) = Deviations(a, b, mixed, known);
        return new SobolIndices(cube.Names, first, total, firsts, totals, variance, model.RowsSeen);
    }

    /// <summary>Returns a table with a row for each input.</summary>
    public ResultTable ToTable() => new(["input", "first order", "total", "± first", "± total"],
        [.. FeatureNames.Select((name, input) => (IReadOnlyList<object?>)[name, First[input], Total[input],
            FirstDeviations.Count > 0 ? FirstDeviations[input] : null, TotalDeviations.Count > 0 ? TotalDeviations[input]
                : null])]);

    /// <inheritdoc/>
    public override string ToString() =>
        FormattableString.Invariant($"Sobol indices, {Evaluations} evaluations, variance {Variance:G5}")
        + string.Concat(FeatureNames.Select((name, input) =>
            FormattableString.Invariant($"\n  {name}: first {First[input]:0.0000}, total {Total[input]:0.0000}")));

    private static (double[] First, double[] Total, double Variance) Indices(double[] a, double[] b, double[][] mixed, int[] rows)
    {
        var mean = rows.Average(row => (a[row] + b[row]) / 2);
        var variance = rows.Average(row => (((a[row] - mean) * (a[row] - mean)) + ((b[row] - mean) * (b[row] - mean))) / 2);
        return (Array.ConvertAll(mixed, own => rows.Average(row => (b[row] - mean) * (own[row] - a[row])) / variance),
            Array.ConvertAll(mixed, own => rows.Average(row => (a[row] - own[row]) * (a[row] - own[row])) / (2 * variance)),
                variance);
    }

    private static (double[] First, double[] Total) Deviations(double[] a, double[] b, double[][] mixed,
        SensitivityOptions options)
    {
        if (options.Resamples == 0) return ([], []);
        var random = new Random(options.Seed ?? 0);
        var drawn = new List<(double[] First, double[] Total, double Variance)>();
        for (var draw = 0; draw < options.Resamples; draw++)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            drawn.Add(Indices(a, b, mixed, Array.ConvertAll(a, _ => random.Next(a.Length))));
        }
        double[] Spread(Func<(double[] First, double[] Total, double Variance), double[]> pick) =>
            [.. mixed.Select((_, input) =>
            {
                var mean = drawn.Average(one => pick(one)[input]);
                return Math.Sqrt(drawn.Average(one => (pick(one)[input] - mean) * (pick(one)[input] - mean)));
            })];
        return (Spread(one => one.First), Spread(one => one.Total));
    }
}
