using ResearchKit.Compression;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class QuantizationSensitivityTests : IDisposable
{
    private static readonly QuantizationScheme[] Schemes =
        [.. new[] { 2, 4, 8 }.Select(bits => QuantizationScheme.FourBits(16) with { Bits = bits })];

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Fewer_bits_cost_more_and_the_model_stays()
    {
        using var model = Model();
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var first = model.forward(Tokens());
        var found = QuantizationSensitivity.Of(model, Schemes,
            () => (model.forward(Tokens()) - first).square().mean().item<float>());
        Assert.Equal(8, found.Layers.Count);
        Assert.Equal(0, found.Baseline);
        Assert.All(found.Layers, layer =>
        {
            Assert.True(layer.Schemes[0].Rise > layer.Schemes[1].Rise && layer.Schemes[1].Rise > layer.Schemes[2].Rise);
            Assert.True(layer.Schemes[2].Rise > 0);
        });
        foreach (var (name, tensor) in model.state_dict()) Assert.True(before[name].Equals(tensor), name);
    }

    [Fact]
    public void Without_a_loss_the_cost_is_the_error_of_the_output_on_the_calibration_data()
    {
        using var model = Model();
        using var calibration = Calibration.Watch(model);
        using (no_grad()) model.forward(Tokens());
        calibration.Stop();
        var found = QuantizationSensitivity.Of(model, [QuantizationScheme.FourBits(16)], calibration: calibration);
        var report = Quantization.Simulate(model, new QuantizationPlan { Scheme = QuantizationScheme.FourBits(16) }, calibration);
        Assert.All(found.Layers.Zip(report.Layers), pair =>
            Assert.Equal(pair.Second.OutputError!.Value, Math.Sqrt(pair.First.Schemes[0].Rise), 1e-6));
    }

    [Fact]
    public void An_allocation_is_the_best_of_all_choices_that_reach_the_target()
    {
        var random = new Random(5);
        for (var round = 0; round < 30; round++)
        {
            // layers of one size with convex costs: then the greedy choice is the best one
            var layers = Enumerable.Range(0, 4).Select(index =>
            {
                var steep = random.NextDouble() + 0.1;
                return new LayerSensitivity($"{index}", 100, [.. new[] { 2, 4, 6, 8 }.Select(bits => new SchemeCost(
                    QuantizationScheme.EightBits with { Bits = bits }, bits, steep * Math.Pow(0.5, bits)))]);
            }).ToList();
            var allocation = new QuantizationSensitivity(layers, "rise", 0).Allocate(4.5);
            Assert.InRange(allocation.BitsPerWeight, 2, 4.5);
            var best = double.PositiveInfinity;
            for (var choice = 0; choice < 256; choice++)
            {
                var costs = layers.Select((layer, index) => layer.Schemes[(choice >> (2 * index)) & 3]).ToList();
                if (costs.Average(cost => cost.BitsPerWeight) <= 4.5) best = Math.Min(best, costs.Sum(cost => cost.Rise));
            }
            Assert.Equal(best, allocation.Rise, 1e-12);
        }
    }

    [Fact]
    public void An_allocation_is_a_plan_with_mean_bits_below_the_target()
    {
        using var model = Model();
        using var calibration = Calibration.Watch(model);
        using (no_grad()) model.forward(Tokens());
        calibration.Stop();
        var found = QuantizationSensitivity.Of(model, Schemes, calibration: calibration);
        var allocation = found.Allocate(6.2);
        var mixed = Quantization.Simulate(model, new QuantizationPlan { Overrides = allocation.Overrides }, calibration);
        Assert.Equal(allocation.BitsPerWeight, mixed.BitsPerWeight, 1e-9);
        Assert.InRange(mixed.BitsPerWeight, 4.5, 6.2);
        Assert.True(mixed.Layers.Select(layer => layer.Scheme).Distinct().Count() > 1);
        Assert.Contains("bits a weight", allocation.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Targets_and_schemes_that_do_not_fit_are_refused_and_a_cancelled_model_stays()
    {
        using var model = Model();
        using var calibration = Calibration.Watch(model);
        using (no_grad()) model.forward(Tokens());
        Refuses(() => QuantizationSensitivity.Of(model, Schemes), "loss", "calibration");
        Refuses(() => QuantizationSensitivity.Of(model, []), "at least 1");
        Refuses(() => QuantizationSensitivity.Of(model, [QuantizationScheme.FourBits(48)], () => 0), "c_attn", "48");
        Refuses(() => QuantizationSensitivity.Of(model, Schemes, calibration: calibration).Allocate(2), "target is 2", "3.125");
        var before = model.forward(Tokens());
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => QuantizationSensitivity.Of(model, Schemes, () =>
        {
            cancel.Cancel();
            return 0;
        }, cancellation: cancel.Token));
        Assert.True(before.Equals(model.forward(Tokens())));
    }

    [Fact]
    public void A_frontier_has_the_models_that_no_other_beats()
    {
        var frontier = new CompressionFrontier(
        [
            new("float32", 100, 1, 9), new("int8", 25, 1.01, 4), new("int4", 15, 1.1, 5), new("worse", 30, 1.2, 3),
            new("new", 40, 0.9),
        ]);
        Assert.Equal(["int4", "int8", "new"], frontier.Best.Select(point => point.Name));
        Assert.Equal(["worse", "int8", "float32"], frontier.Fastest.Select(point => point.Name));
    }

    private static Tensor Tokens() => randint(0, 20, [8, 16], generator: new Generator(1));

    private static Gpt Model()
    {
        Compute.Seed(3);
        var model = new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 });
        model.eval();
        return model;
    }
}
