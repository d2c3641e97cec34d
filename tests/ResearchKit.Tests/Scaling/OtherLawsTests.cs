using ResearchKit.Scaling;
using static ResearchKit.Tests.Scaling.GoldenScaling;

namespace ResearchKit.Tests.Scaling;

public class OtherLawsTests
{
    [Theory]
    [InlineData("hoffmann_like")]
    [InlineData("noiseless")]
    public void Power_laws_are_those_of_the_reference(string set)
    {
        var golden = At("power_law", set);
        var pure = PowerLaw.Fit(golden.Numbers("x"), golden.Numbers("y"));
        Near(golden.GetProperty("pure").Number("slope"), pure.Exponent, 1e-4);
        Near(golden.GetProperty("pure").Number("log_coefficient"), pure.LogCoefficient, 1e-4);
        var saturating = SaturatingPowerLaw.Fit(golden.Numbers("x"), golden.Numbers("y"));
        Near(golden.GetProperty("saturating").Number("E"), saturating.E, 1e-3);
        Near(golden.GetProperty("saturating").Number("A"), saturating.A, 1e-3);
        Near(golden.GetProperty("saturating").Number("alpha"), saturating.Alpha, 1e-3);
    }

    [Theory]
    [InlineData("hoffmann_like")]
    [InlineData("noiseless")]
    public void IsoFlop_parabolas_are_those_of_the_reference(string set)
    {
        var golden = At("isoflop", set);
        var fit = IsoFlopFit.Fit(IsoFlopPoints(set));
        foreach (var (curve, expected) in fit.Curves.Zip(golden.GetProperty("budgets").EnumerateArray()))
        {
            var coefficients = expected.Numbers("quadratic_in_log10N");
            Near(coefficients[0], curve.Quadratic, 1e-4);
            Near(coefficients[1], curve.Linear, 1e-4);
            Near(coefficients[2], curve.Constant, 1e-4);
            Near(expected.Number("N_opt"), curve.OptimalParameters, 1e-4);
            Near(expected.Number("D_opt"), curve.OptimalTokens, 1e-4);
            Near(expected.Number("L_min"), curve.MinimalLoss, 1e-4);
            Assert.True(curve.IsBracketed);
        }
        Assert.Equal(4, fit.Curves.Count);
        Near(golden.Number("N_opt_exponent"), fit.ParametersExponent, 1e-4);
        Near(golden.Number("D_opt_exponent"), fit.TokensExponent, 1e-4);
        Near(golden.Number("N_opt_log10_intercept"), Math.Log10(fit.Parameters.Coefficient), 1e-3);
    }

    [Fact]
    public void Budgets_without_a_minimum_are_refused()
    {
        ScalingPoint[] rising = [.. IsoFlopPoints("noiseless").Select(point => point with { Loss = 8 - point.Loss })];
        Assert.Contains("opens downwards", Assert.Throws<ArgumentException>(() => IsoFlopFit.Fit(rising)).Message,
            StringComparison.Ordinal);
        Assert.Contains("at least two budgets", Assert.Throws<ArgumentException>(() =>
            IsoFlopFit.Fit(IsoFlopPoints("noiseless")[..9])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1.968)]
    [InlineData(4, 3.726)]
    [InlineData(8, 6.624)]
    [InlineData(16, 10.582)]
    [InlineData(40, 15.167)]
    public void Repeated_tokens_are_worth_less(double epochs, double expected) =>
        Assert.Equal(expected, DataConstrainedLaw.Muennighoff.EffectiveTokens(1e9, epochs * 1e9) / 1e9, 0.0006);

    [Fact]
    public void The_decay_of_repeated_tokens_is_recovered()
    {
        var law = DataConstrainedLaw.Muennighoff;
        ScalingPoint[] points = [.. from parameters in new[] { 1e8, 4e8, 2e9 } from unique in new[] { 1e9, 1e10 }
            from epochs in new[] { 1.0, 4, 16, 60 }
            select new ScalingPoint(parameters, epochs * unique, law.Predict(parameters, epochs * unique,
                unique)) { UniqueTokens = unique }];
        var fit = DataConstrainedLaw.Fit(points, law.Law);
        Near(law.TokenDecay, fit.TokenDecay, 1e-3);
        Near(law.ParameterDecay, fit.ParameterDecay, 1e-3);
        Assert.Contains("No run repeats", Assert.Throws<ArgumentException>(() => DataConstrainedLaw.Fit(
            points.Select(point => point with { UniqueTokens = null }), law.Law)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_overfitting_penalty_is_recovered_and_makes_the_loss_rise()
    {
        var law = new OverfittingLaw(ParametricLaw.Epoch, 0.02, 1.1, 0.4);
        ScalingPoint[] points = [.. from parameters in new[] { 1e8, 4e8, 2e9 } from unique in new[] { 1e8, 1e9 }
            from epochs in new[] { 2.0, 8, 32 }
            select new ScalingPoint(parameters, epochs * unique, law.Predict(parameters, epochs * unique,
                unique)) { UniqueTokens = unique }];
        var fit = OverfittingLaw.Fit(points, law.Law);
        Near(law.Penalty, fit.Penalty, 1e-3);
        Near(law.RepetitionExponent, fit.RepetitionExponent, 1e-3);
        Near(law.CapacityExponent, fit.CapacityExponent, 1e-3);
        Assert.True(law.Predict(2e9, 1e11, 1e8) > law.Predict(2e9, 1e9, 1e8));
        Assert.Equal(law.Law.Predict(1e9, 1e9), law.Predict(1e9, 1e9, 1e9));
    }

    [Fact]
    public void The_precision_term_is_recovered()
    {
        var law = new PrecisionLaw(0.03, 0.5, 0.4, 0.6);
        PrecisionPoint[] points = [.. from parameters in new[] { 1e8, 1e9 } from tokens in new[] { 1e9, 1e10, 1e11 }
            from bits in new[] { 3.0, 4, 6 }
            select new PrecisionPoint(parameters, tokens, bits, law.Degradation(parameters, tokens, bits))];
        var fit = PrecisionLaw.Fit(points);
        Near(law.Coefficient, fit.Coefficient, 1e-3);
        Near(law.TokensExponent, fit.TokensExponent, 1e-4);
        Near(law.ParametersExponent, fit.ParametersExponent, 1e-4);
        Near(law.BitScale, fit.BitScale, 1e-4);
        Assert.True(fit.Degradation(1e9, 1e11, 4) > fit.Degradation(1e9, 1e10, 4));
    }
}
