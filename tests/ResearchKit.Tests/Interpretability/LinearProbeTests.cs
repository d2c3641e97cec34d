using ResearchKit.Interpretability;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class LinearProbeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_probe_reads_what_is_linear_and_nothing_from_shuffled_labels()
    {
        manual_seed(2);
        var features = randn(600, 8) * arange(1, 9);
        var labels = features.matmul(randn(8, 3)).argmax(-1);
        var live = LiveTensors.Count;
        var result = LinearProbe.Evaluate(features, labels);
        Assert.Equal(live, LiveTensors.Count);
        Assert.InRange(result.Accuracy, 0.93, 1);
        // the control draws labels with the frequencies of the classes, so that chance is about their squares' sum
        Assert.InRange(result.ControlAccuracy, 0.1, result.MajorityAccuracy + 0.12);
        Assert.Equal(result.Accuracy - result.ControlAccuracy, result.Selectivity, 1e-12);
    }

    [Fact]
    public void A_control_task_over_few_types_can_be_memorised_and_shows_it()
    {
        manual_seed(3);
        var types = randint(0, 10, [500], int64);
        var features = randn(10, 32)[types];             // activations that are nothing but the type
        var labels = types % 2;
        var result = LinearProbe.Evaluate(features, labels, types);
        Assert.Equal((1, 1), (result.Accuracy, result.ControlAccuracy));
        Assert.Equal(0, result.Selectivity);
    }

    [Fact]
    public void The_probe_is_at_the_minimum_of_its_loss()
    {
        manual_seed(4);
        var x = randn(80, 4);
        var labels = (x.matmul(ones(4)) + randn(80)).gt(0).to(int64);
        using var probe = LinearProbe.Train(x, labels, new ProbeOptions { Penalty = 0.01, Iterations = 500 });
        var deviation = x.std(0, unbiased: false);
        var weight = probe.Weight.detach().requires_grad_();
        var bias = probe.Bias.detach().requires_grad_();
        var loss = nn.functional.cross_entropy(x.matmul(weight.t()) + bias, labels)
            + (0.01 * (weight * deviation).square().sum());
        loss.backward();
        Near.Check("gradient", zeros_like(weight), weight.grad!, 1e-4);
        Near.Check("gradient of the bias", zeros_like(bias), bias.grad!, 1e-4);
    }

    [Fact]
    public void Bad_input_is_refused_in_words()
    {
        Assert.Contains("[4, 2] and labels [3]", Assert.Throws<ArgumentException>(() =>
            LinearProbe.Train(zeros(4, 2), zeros([3], int64))).Message, StringComparison.Ordinal);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() =>
            LinearProbe.Train(full([4, 2], double.NaN), zeros([4], int64))).Message, StringComparison.Ordinal);
        Assert.Contains("label of -1", Assert.Throws<ArgumentException>(() =>
            LinearProbe.Train(zeros(4, 2), full([4], -1L))).Message, StringComparison.Ordinal);
        Assert.Contains("3 types for 4 samples", Assert.Throws<ArgumentException>(() =>
            LinearProbe.Evaluate(zeros(4, 2), zeros([4], int64), zeros([3], int64))).Message, StringComparison.Ordinal);
    }
}
