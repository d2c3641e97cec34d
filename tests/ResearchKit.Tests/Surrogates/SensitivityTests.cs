using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class SensitivityTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_Sobol_sequence_is_that_of_the_table_and_balanced()
    {
        var points = SobolSequence.Points(8, 3).Values();
        Assert.Equal([0, 0, 0, 0.5, 0.5, 0.5, 0.75, 0.25, 0.25, 0.25, 0.75, 0.75], points[..12]);
        var many = SobolSequence.Rows(256, SobolSequence.MaxDimensions, seed: 4);
        for (var dimension = 0; dimension < SobolSequence.MaxDimensions; dimension++)
            Assert.Equal(Enumerable.Range(0, 256), many.Select(point => (int)(point[dimension] * 256)).Order());
    }

    [Fact]
    public void Indices_of_the_Ishigami_function_are_the_known_ones()
    {
        var found = SobolIndices.Compute(Ishigami, [.. Enumerable.Repeat((-Math.PI, Math.PI), 3)],
            new() { BasePoints = 1 << 14, Resamples = 0 });
        AssertNear([0.3139, 0.4424, 0], found.First, 0.01);
        AssertNear([0.5576, 0.4424, 0.2437], found.Total, 0.01);
        Assert.Equal(13.8446, found.Variance, 0.05);
        Assert.Equal(5L << 14, found.Evaluations);
    }

    [Fact]
    public void Indices_of_the_g_function_are_the_known_ones()
    {
        double[] a = [0, 1, 4.5, 9, 99, 99, 99, 99];
        Tensor G(Tensor x) => ((((4 * x) - 2).abs() + tensor(a)) / (1 + tensor(a))).prod(1);
        var found = SobolIndices.Compute(G, [.. Enumerable.Repeat((0.0, 1.0), 8)],
            new() { BasePoints = 1 << 14, Resamples = 20 });
        AssertNear([0.7162, 0.1790, 0.0237, 0.0072], [.. found.First.Take(4)], 0.01);
        AssertNear([0.7871, 0.2422, 0.0343, 0.0105], [.. found.Total.Take(4)], 0.01);
        Assert.All(found.FirstDeviations, deviation => Assert.InRange(deviation, 0, 0.05));
    }

    [Fact]
    public void Elementary_effects_of_a_line_are_its_slopes()
    {
        var found = ElementaryEffects.Compute(x => (2 * x.select(1, 0)) - x.select(1, 1), [(0, 10), (0, 1), (5, 6)]);
        AssertNear([20, -1, 0], found.Mean, 1e-9);
        AssertNear([20, 1, 0], found.MeanAbsolute, 1e-9);
        AssertNear([0, 0, 0], found.Deviation, 1e-9);
        Assert.Equal(20 * 4, found.Evaluations);
    }

    [Fact]
    public void An_input_that_interacts_has_effects_that_vary()
    {
        var found = ElementaryEffects.Compute(x => x.select(1, 0) * x.select(1, 1), [(-1, 1), (-1, 1)],
            new() { Trajectories = 50 });
        Assert.All(found.Deviation, deviation => Assert.True(deviation > 1));
    }

    [Fact]
    public void Both_effects_of_a_sum_are_its_terms_up_to_a_constant()
    {
        manual_seed(1);
        var x = randn([300, 3], float64);
        static Tensor Sum(Tensor rows) => rows.select(1, 0).sin() + rows.select(1, 1).square() - (2 * rows.select(1, 2));
        foreach (var effect in new[] { FeatureEffect.PartialDependence(Sum, x, 1), FeatureEffect.AccumulatedLocalEffects(Sum, x,
            1) })
        {
            var shift = effect.Values[0] - (effect.Grid[0] * effect.Grid[0]);
            for (var at = 0; at < effect.Grid.Count; at++)
                Assert.Equal(effect.Grid[at] * effect.Grid[at], effect.Values[at] - shift, 1e-9);
        }
    }

    [Fact]
    public void Where_features_are_equal_only_local_effects_are_right()
    {
        // x1 = x0, and the model is x0 · x1 = x0² on the data: the local effect of x0 alone is x0²/2
        manual_seed(2);
        var one = (rand([2000, 1], float64) * 2) - 1;
        var x = cat([one, one], 1);
        static Tensor Model(Tensor rows) => rows.select(1, 0) * rows.select(1, 1);
        var local = FeatureEffect.AccumulatedLocalEffects(Model, x, 0, new() { GridPoints = 40 });
        var shift = local.Values[20] - (local.Grid[20] * local.Grid[20] / 2);
        for (var at = 0; at < local.Grid.Count; at++)
            Assert.Equal(local.Grid[at] * local.Grid[at] / 2, local.Values[at] - shift, 0.02);
        var partial = FeatureEffect.PartialDependence(Model, x, 0, new() { GridPoints = 5 });
        Assert.True(partial.Values.Max() - partial.Values.Min() < 0.2);
    }

    [Fact]
    public void The_mean_of_all_individual_curves_is_the_partial_dependence()
    {
        var x = randn([20, 2], float64);
        var effect = FeatureEffect.PartialDependence(rows => rows.prod(1), x, 0, new() { IndividualCurves = 20, GridPoints = 6 });
        for (var at = 0; at < effect.Grid.Count; at++) Assert.Equal(effect.Individuals.Average(curve => curve[at]),
            effect.Values[at], 12);
    }

    [Fact]
    public void Constant_functions_features_and_empty_ranges_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SobolIndices.Compute(x => zeros_like(x.select(1, 0)), [(0, 1)]));
        Assert.Throws<ArgumentException>(() => SobolIndices.Compute(x => x.select(1, 0), [(1, 1)]));
        Assert.Throws<ArgumentException>(() => SobolIndices.Compute(x => x.select(1, 0), [(0, 1)], new() { BasePoints = 1000 }));
        Assert.Contains("1 in all rows", Assert.Throws<ArgumentException>(() =>
            FeatureEffect.PartialDependence(x => x.select(1, 0), ones(4, 2), 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureEffect.PartialDependence(x => x.select(1, 0), ones(4, 2), 2));
        Assert.Throws<ArgumentException>(() => SobolIndices.Compute(x => x.select(1, 0).log(), [(-1, 1)]));
    }

    [Fact]
    public void A_model_that_mixes_the_rows_of_a_batch_is_refused()
    {
        var x = randn([20, 2], float64);
        var error = Assert.Throws<ArgumentException>(() =>
            FeatureEffect.PartialDependence(rows => (rows - rows.mean([0])).select(1, 0), x, 0));
        Assert.Contains("eval()", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Ishigami(Tensor x) => x.select(1, 0).sin() + (7 * x.select(1, 1).sin().square())
        + (0.1 * x.select(1, 2).pow(4) * x.select(1, 0).sin());

    private static void AssertNear(double[] expected, IReadOnlyList<double> actual, double tolerance)
    {
        for (var at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], tolerance);
    }
}
