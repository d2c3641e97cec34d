using ResearchKit.Metrics;
using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class CalibrationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(0.5)]
    [InlineData(3)]
    public void Calibrated_logits_times_a_factor_have_that_temperature(double factor)
    {
        var (logits, y) = Calibrated(20_000);
        var scaling = TemperatureScaling.Fit(logits * factor, y);
        Assert.Equal(factor, scaling.Temperature, 0.03 * factor);
        Assert.True(scaling.LossAfter <= scaling.LossBefore);
        var diagram = ReliabilityDiagram.OfLogits(scaling.Apply(logits * factor), y);
        Assert.True(diagram.CalibrationError < 2 * diagram.UpperIfCalibrated);
        Assert.True(ReliabilityDiagram.OfLogits(logits * factor, y).IsMiscalibrated);
    }

    [Fact]
    public void The_error_of_calibrated_predictions_is_its_stated_bias()
    {
        var ratios = new List<double>();
        foreach (var rows in new[] { 500, 8000 })
        {
            var (logits, y) = Calibrated(rows);
            var diagram = ReliabilityDiagram.OfLogits(logits, y);
            Assert.True(diagram.CalibrationError < 1.5 * diagram.UpperIfCalibrated, diagram.ToString());
            ratios.Add(diagram.ExpectedIfCalibrated);
        }
        Assert.InRange(ratios[0] / ratios[1], 3, 5.5);      // √16 = 4
    }

    [Fact]
    public void The_error_is_that_of_the_metric()
    {
        var (logits, y) = Calibrated(700);
        Assert.Equal(Metric.CalibrationError(10).Of(2 * logits, y), ReliabilityDiagram.OfLogits(2 * logits, y,
            10).CalibrationError, 10);
    }

    [Fact]
    public void Bins_are_counted_as_by_hand()
    {
        var diagram = ReliabilityDiagram.OfProbabilities(tensor(new[] { 0.1, 0.2, 0.9, 0.7 }), tensor(new long[] { 0, 1, 1, 1 }),
            2);
        Assert.Equal((2, 2), (diagram.Bins[0].Count, diagram.Bins[1].Count));
        Assert.Equal(0.15, diagram.Bins[0].Confidence, 12);
        Assert.Equal(0.5, diagram.Bins[0].Accuracy, 12);
        Assert.Equal(((0.35 * 2) + (0.2 * 2)) / 4, diagram.CalibrationError, 12);
    }

    [Fact]
    public void Rows_without_a_best_temperature_are_refused()
    {
        var logits = tensor(new[] { 2.0, 0, 0, 3 }, [2, 2]);
        Assert.Contains("right class first", Assert.Throws<ArgumentException>(() =>
            TemperatureScaling.Fit(logits, tensor(new long[] { 0, 1 }))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => TemperatureScaling.Fit(logits, tensor(new long[] { 0, 2 })));
        Assert.Throws<ArgumentException>(() => ReliabilityDiagram.OfProbabilities(tensor(new[] { 1.5 }),
            tensor(new long[] { 1 })));
    }

    private static (Tensor Logits, Tensor Y) Calibrated(int rows)
    {
        manual_seed(rows);
        var logits = 1.5 * randn([rows, 3], float64);
        return (logits, logits.softmax(1).multinomial(1).squeeze(1));
    }
}
