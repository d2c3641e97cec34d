using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Elementary effects of Morris: slopes of a function along each input, at random places.</summary>
/// <param name="FeatureNames">Names of the inputs.</param>
/// <param name="Mean">Mean slope, in units of the output for the whole range of the input (μ).</param>
/// <param name="MeanAbsolute">Mean absolute slope (μ*), a screening measure of the total effect.</param>
/// <param name="Deviation">Standard deviation of the slopes (σ): large for curved or interacting inputs.</param>
/// <param name="Evaluations">Points at which the function was computed.</param>
/// <remarks>Morris, 1991; Campolongo et al., 2007.</remarks>
public sealed record ElementaryEffects(IReadOnlyList<string> FeatureNames, IReadOnlyList<double> Mean,
    IReadOnlyList<double> MeanAbsolute, IReadOnlyList<double> Deviation, long Evaluations)
{
    /// <summary>Computes the effects.</summary>
    /// <param name="function">Takes float64 [points, inputs]; returns [points] or [points, outputs].</param>
    /// <param name="ranges">Lowest and highest value of each input.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">A range is empty, or the function returns no finite number.</exception>
    public static ElementaryEffects Compute(Func<Tensor, Tensor> function, IReadOnlyList<(double Low, double High)> ranges,
        SensitivityOptions? options = null)
    {
        var known = options ?? new SensitivityOptions();
        Tensors.Require.AtLeast(2, known.Trajectories);
        Tensors.Require.That(known.Levels >= 2 && known.Levels % 2 == 0, known.Levels, nameof(known.Levels),
            "an even number of at least 2");
        var cube = new InputRanges(ranges, known.FeatureNames);
        var model = cube.Model(function, known.Output);
        var (points, moved, steps) = Trajectories(cube.Count, known);
        var values = model.Call(points.ConvertAll(cube.Scaled), known.Output, known.Cancellation);
        var slopes = cube.Names.Select(_ => new List<double>()).ToArray();
        for (var at = 0; at < moved.Count; at++)
            if (moved[at] >= 0) slopes[moved[at]].Add((values[at] - values[at - 1]) / steps[at]);
        return new ElementaryEffects(cube.Names, Array.ConvertAll(slopes, own => own.Average()),
            Array.ConvertAll(slopes, own => own.Average(Math.Abs)), Array.ConvertAll(slopes, own =>
            {
                var mean = own.Average();
                return Math.Sqrt(own.Sum(slope => (slope - mean) * (slope - mean)) / (own.Count - 1));
            }), model.RowsSeen);
    }

    /// <summary>Returns a table with a row for each input.</summary>
    public ResultTable ToTable() => new(["input", "μ*", "μ", "σ"], [.. FeatureNames.Select((name, input) =>
        (IReadOnlyList<object?>)[name, MeanAbsolute[input], Mean[input], Deviation[input]])]);

    /// <inheritdoc/>
    public override string ToString() => $"elementary effects, {Evaluations} evaluations" + string.Concat(FeatureNames.Select(
        (name, input) => FormattableString.Invariant($"\n  {name}: μ* {MeanAbsolute[input]:G4}, σ {Deviation[input]:G4}")));

    /// <summary>Points in the unit cube; for each the input that moved (-1 at the start of a trajectory) and by how
    /// much.</summary>
    private static (List<double[]> Points, List<int> Moved, List<double> Steps) Trajectories(int inputs,
        SensitivityOptions options)
    {
        var random = new Random(options.Seed ?? 0);
        var (points, moved, steps) = (new List<double[]>(), new List<int>(), new List<double>());
        var step = options.Levels / (2.0 * (options.Levels - 1));
        for (var trajectory = 0; trajectory < options.Trajectories; trajectory++)
        {
            var point = Enumerable.Range(0, inputs)
                .Select(_ => random.Next(options.Levels) / (double)(options.Levels - 1)).ToArray();
            points.Add(point);
            moved.Add(-1);
            steps.Add(0);
            int[] order = [.. Enumerable.Range(0, inputs)];
            random.Shuffle(order);
            foreach (var input in order)
            {
                var own = point[input] + step <= 1 + 1e-12 ? step : -step;
                point = (double[])point.Clone();
                point[input] = Math.Clamp(point[input] + own, 0, 1);
                points.Add(point);
                moved.Add(input);
                steps.Add(own);
            }
        }
        return (points, moved, steps);
    }
}
