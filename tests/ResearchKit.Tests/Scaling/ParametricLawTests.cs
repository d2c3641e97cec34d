using ResearchKit.Scaling;
using static ResearchKit.Tests.Scaling.GoldenScaling;

namespace ResearchKit.Tests.Scaling;

public class ParametricLawTests
{
    [Theory]
    [InlineData("hoffmann_like")]
    [InlineData("noiseless")]
    public void The_fit_is_that_of_the_reference(string set)
    {
        var golden = At("chinchilla_fit", set, "huber_lbfgs");
        var fit = ParametricLaw.Fit(Points(set));
        var expected = golden.GetProperty("params");
        Assert.True(fit.Objective <= Math.Max(golden.Number("objective_sum") * (1 + 1e-6), 1e-9),
            $"The objective is {fit.Objective:R}.");
        Near(expected.Number("alpha"), fit.Law.Alpha, 2e-3);
        Near(expected.Number("beta"), fit.Law.Beta, 2e-3);
        Near(expected.Number("E"), fit.Law.E, 5e-3);
        Near(expected.Number("A"), fit.Law.A, 0.03);
        Near(expected.Number("B"), fit.Law.B, 0.03);
        Assert.Equal(4500, fit.Starts);
        Assert.InRange(fit.HeldOut!.MeanRelative, 0, 0.02);
    }

    [Theory]
    [InlineData("hoffmann_like")]
    [InlineData("noiseless")]
    public void Optima_are_those_of_the_reference(string set)
    {
        var given = At("chinchilla_fit", set, "huber_lbfgs", "params");
        var law = new ParametricLaw(given.Number("E"), given.Number("A"), given.Number("B"), given.Number("alpha"),
            given.Number("beta"));
        foreach (var golden in At("chinchilla_fit", set, "compute_optimal_from_huber").EnumerateArray())
        {
            var optimum = law.Optimum(golden.Number("C"));
            Near(golden.Number("N_opt"), optimum.Parameters, 1e-9);
            Near(golden.Number("D_opt"), optimum.Tokens, 1e-9);
            Near(golden.Number("loss"), optimum.Loss, 1e-9);
        }
    }

    [Fact]
    public void At_the_optimum_both_terms_fall_equally_fast()
    {
        var law = ParametricLaw.Epoch;
        var best = law.Optimum(1e21);
        Near(law.Alpha * law.A / Math.Pow(best.Parameters, law.Alpha), law.Beta * law.B / Math.Pow(best.Tokens, law.Beta), 1e-9);
        Near(1e21, 6 * best.Parameters * best.Tokens, 1e-12);
        Near(2.778e9, best.Parameters, 1e-3);
        Near(2.622e8, law.Optimum(1e19).Parameters, 1e-3);
        Near(3.219e10, ParametricLaw.Hoffmann.Optimum(5.76e23).Parameters, 0.01);
    }

    [Fact]
    public void Counting_parameters_without_embeddings_gives_Kaplans_exponent()
    {
        // Pearce and Song, 2024: N_E = N + ω N^(1/3), so a law of all parameters bends over the parameters without embeddings
        var law = ParametricLaw.Epoch;
        var exponent = Reconciliation.ParametersExponent(law, 1e14, 5.0118723362727e20);
        Assert.InRange(exponent, 0.752, 0.762);
        Assert.InRange(Reconciliation.ParametersExponent(law, 1e28, 1e32), law.ParametersExponent - 0.01,
            law.ParametersExponent + 0.02);
    }

    // Hoffmann et al. rounded their exponents to two digits. That alone moves the exponent without embeddings by .0075.
    [Theory]
    [InlineData(6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083, 0.718)]   // as fitted
    [InlineData(6.0073377, 6.0178656, 0.5247285, 0.34, 0.28, 0.7255)]             // as published: 406.4, 410.7, 1.69
    public void Rounded_constants_move_the_exponent_without_embeddings(double logA, double logB, double logE, double alpha,
        double beta, double expected)
    {
        var law = new ParametricLaw(Math.Exp(logE), Math.Exp(logA), Math.Exp(logB), alpha, beta);
        var exponent = Reconciliation.ParametersExponent(law, 1e14, 5.0118723362727e20);
        Assert.InRange(exponent, expected - 0.001, expected + 0.001);
    }

    [Fact]
    public void Bootstrap_bands_hold_the_law_that_made_the_points()
    {
        var fit = ParametricLaw.Fit(Points("hoffmann_like"), FewStarts());
        var bands = fit.Bootstrap(100);
        Assert.Equal(100, bands.Laws.Count);
        Assert.True(bands.Of(law => law.Alpha).Contains(0.34), bands.ToString());
        Assert.True(bands.Of(law => law.Beta).Contains(0.28), bands.ToString());
        var predicted = bands.Predict(1e9, 2e10);
        Assert.True(predicted.Low < predicted.Value && predicted.Value < predicted.High, predicted.ToString());
        Assert.Equal(bands.Laws, fit.Bootstrap(100).Laws);
    }

    /// <summary>A few starts near the laws of the tests, to be fast.</summary>
    private static FitOptions FewStarts() => new() { HeldOutShare = 0, Starts = [(6, 6, 0.5, 0.35, 0.3), (5, 7, 0, 0.2, 0.4)] };

    [Fact]
    public void An_outlier_that_is_dropped_changes_nothing()
    {
        ScalingPoint[] points = [.. Points("noiseless"), new(1e9, 1e10, 9)];
        var fit = ParametricLaw.Fit(points, FewStarts() with { DroppedPoints = 1 });
        Near(0.3, fit.Law.Alpha, 1e-3);
        Assert.Equal(points.Length - 1, fit.Points.Count);
    }

    [Fact]
    public void Points_that_cannot_be_fitted_are_named()
    {
        var points = Points("noiseless");
        var zero = Assert.Throws<ArgumentException>(() => ParametricLaw.Fit([.. points[..6], points[6] with { Loss = 0 }]));
        Assert.Contains("Point 6 has a loss of 0", zero.Message, StringComparison.Ordinal);
        var few = Assert.Throws<ArgumentException>(() => ParametricLaw.Fit(points[..4]));
        Assert.Contains("Got 4 points", few.Message, StringComparison.Ordinal);
        var mixed = Assert.Throws<ArgumentException>(() => ParametricLaw.Fit(
            [.. points[..5].Select(point => point with { Data = "c4" }), points[5] with { Data = "wikipedia" }]));
        Assert.Contains("'c4' and 'wikipedia'", mixed.Message, StringComparison.Ordinal);
    }
}
