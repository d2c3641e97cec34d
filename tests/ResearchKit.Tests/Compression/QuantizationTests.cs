using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class QuantizationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Eight_bits_hardly_change_a_model_and_four_bits_do()
    {
        double Distance(QuantizationScheme scheme)
        {
            using var model = Model();
            var tokens = Tokens();
            var before = model.forward(tokens);
            var report = Quantization.Simulate(model, new QuantizationPlan { Scheme = scheme });
            Assert.All(report.Layers, layer => Assert.True(layer.WeightError > 0 && layer.OutputError is null));
            Assert.Equal(8, report.Layers.Count);
            return ((model.forward(tokens) - before).norm() / before.norm()).item<float>();
        }
        var (eight, four) = (Distance(QuantizationScheme.EightBits), Distance(QuantizationScheme.FourBits(16)));
        Assert.InRange(eight, 1e-5, 0.02);
        Assert.InRange(four, 3 * eight, 0.5);
    }

    [Fact]
    public void Gptq_has_a_smaller_error_of_every_output_than_rounding_to_nearest()
    {
        QuantizationReport Report(Rounding rounding)
        {
            using var model = Model();
            using var calibration = Calibration.Watch(model);
            using (no_grad())
                for (var batch = 0; batch < 8; batch++) model.forward(Tokens(batch));
            calibration.Stop();
            Assert.All(calibration.Moments.Values, moments => Assert.Equal(8 * 4 * 16, moments.Rows));
            var plan = new QuantizationPlan { Scheme = QuantizationScheme.FourBits(16), Rounding = rounding };
            return Quantization.Simulate(model, plan, calibration);
        }
        var (nearest, gptq) = (Report(Rounding.Nearest), Report(new Gptq()));
        Assert.All(nearest.Layers.Zip(gptq.Layers), pair => Assert.True(pair.Second.OutputError < pair.First.OutputError));
        Assert.Contains("output by", gptq.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Overrides_choose_schemes_by_name_and_leave_layers_out()
    {
        using var model = Model();
        var weight = model.named_parameters()
            .First(pair => pair.name.EndsWith("0.attn.c_proj.weight", StringComparison.Ordinal)).parameter;
        var before = weight.clone();
        var report = Quantization.Simulate(model, new QuantizationPlan
        {
            Overrides = [("*.attn.c_proj", null), ("*.mlp.*", QuantizationScheme.Nf4(16))],
        });
        Assert.Equal(6, report.Layers.Count);
        Assert.True(before.Equals(weight));
        Assert.Equal(4, report.Layers.Count(layer => layer.Scheme.CodeBook is not null));
        Assert.Equal(model.parameters().Sum(parameter => parameter.numel()),
            report.Layers.Sum(layer => layer.Weights) + report.OtherWeights);
    }

    [Fact]
    public void Quantizing_twice_changes_nothing_more()
    {
        using var model = Model();
        Quantization.Simulate(model);
        var again = Quantization.Simulate(model);
        Assert.All(again.Layers, layer => Assert.InRange(layer.WeightError, 0, 1e-6));
    }

    [Fact]
    public void A_users_model_of_dense_layers_is_quantized_too()
    {
        using var model = nn.Sequential(("first", new Dense(16, 8)), ("second", new Dense(8, 4)));
        Assert.Equal(["first", "second"], Quantization.Simulate(model).Layers.Select(layer => layer.Name));
    }

    [Fact]
    public void Bad_plans_are_refused_by_the_name_of_the_layer_and_the_model_stays()
    {
        using var model = Model();
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        Refuses(() => Quantization.Simulate(model, new QuantizationPlan { Scheme = QuantizationScheme.FourBits(48) }), "c_attn",
            "48");
        Refuses(() => Quantization.Simulate(model, new QuantizationPlan { Rounding = new Gptq() }), "c_attn", "calibrate");
        Refuses(() => Quantization.Simulate(model, new QuantizationPlan { Overrides = [("*", null)] }), "no linear layer");
        foreach (var (name, tensor) in model.state_dict()) Assert.True(before[name].Equals(tensor), name);
    }

    [Fact]
    public void A_method_that_fails_in_a_later_layer_leaves_the_model_as_it_was()
    {
        using var model = Model();
        using var calibration = Calibration.Watch(model);
        using (no_grad()) model.forward(Tokens());   // 64 rows: enough for 32 channels, too few for 128 without damping
        calibration.Stop();
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        Refuses(() => Quantization.Simulate(model, new QuantizationPlan { Rounding = new Gptq { Damping = 0 } }, calibration),
            "h.0.mlp.c_proj", "singular", "more calibration data");
        var live = LiveTensors.Count;
        using var cancel = new CancellationTokenSource();
        var progress = new Reports(report =>
        {
            if (report.Name == "h.1.attn.c_attn") cancel.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Quantization.Simulate(model,
            new QuantizationPlan { Rounding = new Gptq(), Scaling = new Awq() }, calibration, progress, cancel.Token));
        Assert.Equal(live, LiveTensors.Count);
        foreach (var (name, tensor) in model.state_dict()) Assert.True(before[name].Equals(tensor), name);
    }

    [Fact]
    public void Calibration_that_is_too_short_is_refused_and_channels_that_are_always_zero_are_not()
    {
        using var model = nn.Sequential(("first", new Dense(32, 8)));
        using var calibration = Calibration.Watch(model);
        var x = randn([3, 32], generator: new Generator(1));
        x.narrow(1, 0, 4).zero_();
        using (no_grad()) model.forward(x);
        var plan = new QuantizationPlan { Rounding = new Gptq(), Scheme = QuantizationScheme.FourBits(8) };
        Refuses(() => Quantization.Simulate(model, plan, calibration), "first", "3 rows of 32 channels", "at least 4");
        using (no_grad()) model.forward(randn([64, 32], generator: new Generator(2)) * (arange(32) >= 4));
        Rounding[] methods = [new Gptq(), new AutoRound { Steps = 5 }, Rounding.Nearest];
        foreach (var method in methods)
        {
            var report = Quantization.Simulate(model, plan with { Rounding = method }, calibration);
            Assert.True(double.IsFinite(report.Layers[0].OutputError!.Value));
        }
    }

    [Fact]
    public void Hooks_are_gone_after_calibration()
    {
        using var model = Model();
        var calibration = Calibration.Watch(model);
        calibration.Dispose();
        model.forward(Tokens());
        Assert.Empty(calibration.Moments);
    }

    /// <summary>Reports at once, not through a queue.</summary>
    private sealed class Reports(Action<QuantizedLayer> action) : IProgress<QuantizedLayer>
    {
        public void Report(QuantizedLayer value) => action(value);
    }

    private static Tensor Tokens(int seed = 0) => randint(0, 20, [4, 16], generator: new Generator((ulong)seed));

    private static Gpt Model()
    {
        Compute.Seed(3);
        var model = new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 });
        model.eval();
        return model;
    }
}
