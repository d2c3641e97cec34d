using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class QuantizedModelTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("researchkit-tests-");

    public void Dispose()
    {
        scope.Dispose();
        folder.Delete(recursive: true);
    }

    /// <summary>Schemes with weights alone quantized.</summary>
    private static readonly QuantizationScheme[] Schemes =
    [
        QuantizationScheme.EightBits, QuantizationScheme.EightBits with { IsSymmetric = false },
        QuantizationScheme.EightBits with { Granularity = ScaleGranularity.Tensor }, QuantizationScheme.FourBits(16),
        QuantizationScheme.FourBits(32, symmetric: true), QuantizationScheme.Nf4(16),
        new() { Bits = 3, Granularity = ScaleGranularity.Group, GroupSize = 8 }, new() { Bits = 6, IsSymmetric = false },
        new() { Bits = 4, Granularity = ScaleGranularity.Group, GroupSize = 2 },
    ];

    [Fact]
    public void A_quantized_model_computes_what_the_simulated_one_does()
    {
        var tokens = Tokens();
        foreach (var scheme in Schemes)
            foreach (var includesHeads in new[] { false, true })
            {
                using var simulated = Model();
                using var quantized = Model();
                var plan = new QuantizationPlan { Scheme = scheme };
                Quantization.Simulate(simulated, plan);
                if (includesHeads) SimulateTable(simulated, scheme);
                var report = Quantization.Quantize(quantized, plan with { IncludesHeads = includesHeads });
                Assert.Equal(includesHeads ? 9 : 8, report.Layers.Count);
                var (expected, made) = (simulated.forward(tokens), quantized.forward(tokens));
                var error = ((made - expected).norm() / expected.norm()).item<float>();
                Assert.True(error < 3e-4, $"{scheme}: {error}");
                Assert.True(Math.Abs(Loss(made, tokens) - Loss(expected, tokens)) < 1e-4, $"{scheme}");
                Assert.All(quantized.Packing!.Layers,
                    layer => Assert.StartsWith(scheme.ToString(), layer.Kernel, StringComparison.Ordinal));
                Assert.Equal(report.Layers.Select(layer => layer.Name), quantized.Packing!.Layers.Select(layer => layer.Name));
            }
    }

    [Fact]
    public void Inputs_of_8_bits_change_results_a_little_and_a_fixed_scale_more()
    {
        var tokens = Tokens();
        using var model = Model();
        using var calibration = Calibration.Watch(model);
        var expected = model.forward(tokens);
        calibration.Stop();
        float Error(QuantizationScheme scheme)
        {
            using var quantized = Model();
            Quantization.Quantize(quantized, new QuantizationPlan { Scheme = scheme }, calibration);
            return ((quantized.forward(tokens) - expected).norm() / expected.norm()).item<float>();
        }
        var errors = new[] { Error(QuantizationScheme.EightBits), Error(QuantizationScheme.EightBitsDynamic),
            Error(QuantizationScheme.EightBitsStatic) };
        Assert.InRange(errors[0], 1e-4, errors[1]);
        Assert.InRange(errors[1], 1e-4, 0.05);
        Assert.InRange(errors[2], errors[0], 0.1);
    }

    [Fact]
    public void A_quantized_model_is_smaller_and_leaves_no_tensors()
    {
        var model = Model();
        var live = LiveTensors.Count;
        var report = Quantization.Quantize(model, QuantizationScheme.FourBits(16));
        Assert.All(report.Layers, layer => Assert.True(layer.WeightError is > 0 and < 0.2));
        Assert.InRange(model.Packing!.Bytes, 1, report.Layers.Sum(layer => layer.Weights));
        using var tokens = Tokens();
        model.forward(tokens).Dispose();
        var after = LiveTensors.Count;
        model.forward(tokens).Dispose();
        Assert.Equal(after, LiveTensors.Count);
        model.Dispose();
        Assert.True(LiveTensors.Count <= live);
    }

    [Fact]
    public void Layers_of_TorchSharp_in_a_users_model_are_quantized_too()
    {
        manual_seed(5);
        using var model = new UsersModel();
        var x = randn(3, 5, 12);
        var expected = model.call(x);
        var report = Quantization.Quantize(model, QuantizationScheme.EightBits);
        Assert.Equal(["first", "rest.0", "rest.2"], report.Layers.Select(layer => layer.Name));
        var made = model.call(x);
        Assert.InRange(((made - expected).norm() / expected.norm()).item<float>(), 1e-6, 0.02);
        Assert.Equal(made, model.call(x));
        Assert.InRange((model.call(x[0]) - made[0]).abs().max().item<float>(), 0, 1e-6);
        Assert.InRange((model.call(x[0, 0]) - made[0, 0]).abs().max().item<float>(), 0, 1e-6);

        var file = Path.Combine(folder.FullName, "users.safetensors");
        QuantizedFiles.Save(model, file);
        using var other = new UsersModel();
        QuantizedFiles.Load(other, file);
        Assert.True(made.Equals(other.call(x)));
    }

    [Fact]
    public void A_saved_model_loads_with_the_same_bits()
    {
        var tokens = Tokens();
        using var watched = Model();
        using var calibration = Calibration.Watch(watched);
        watched.forward(tokens);
        calibration.Stop();
        foreach (var scheme in (QuantizationScheme[])
            [.. Schemes, QuantizationScheme.EightBitsDynamic, QuantizationScheme.EightBitsStatic])
        {
            using var model = Model();
            Quantization.Quantize(model, new QuantizationPlan
            {
                Scheme = scheme,
                Overrides = [("h.1.mlp.c_fc", QuantizationScheme.FourBits(8)), ("wte", QuantizationScheme.FourBits(8))],
            }, calibration);
            var file = Path.Combine(folder.FullName, "model.safetensors");
            QuantizedFiles.Save(model, file);
            using var other = Model(seed: 9);
            QuantizedFiles.Load(other, file);
            Assert.True(model.forward(tokens).Equals(other.forward(tokens)), scheme.ToString());
            Assert.Equal(model.Packing!.Bytes, other.Packing!.Bytes);
        }
    }

    [Fact]
    public void What_a_quantized_model_cannot_do_is_refused_in_one_sentence()
    {
        using var model = Model();
        Assert.Contains("not quantized", Assert.Throws<InvalidOperationException>(
            () => QuantizedFiles.Save(model, "never")).Message, StringComparison.Ordinal);
        Quantization.Quantize(model);
        void Refuses(Action action, string text) =>
            Assert.Contains(text, Assert.Throws<InvalidOperationException>(action).Message, StringComparison.Ordinal);
        Refuses(() => model.train(), "A quantized model cannot be trained; use the original.");
        Assert.False(model.training);
        Refuses(() => Quantization.Quantize(model), "quantized");
        Refuses(() => Quantization.Simulate(model), "quantized");
        Refuses(() => model.PackForInference(), "packed again");
        Refuses(() => StateDict.Save(model, "never"), "QuantizedFiles");
        Refuses(() => model.to(float64), "moved or cast");
        Assert.Throws<ArgumentException>(() => model.forward(tensor(new long[,] { { 1000 } })));
    }

    [Fact]
    public void Plans_that_do_not_fit_leave_the_model_as_it_was()
    {
        using var model = Model();
        var tokens = Tokens();
        var before = model.forward(tokens);
        void Fails(string text, QuantizationPlan plan) =>
            Assert.Contains(text, Assert.Throws<ArgumentException>(() => Quantization.Quantize(model, plan)).Message,
                StringComparison.Ordinal);
        Fails("groups of 24", new QuantizationPlan { Scheme = QuantizationScheme.FourBits(24) });
        Fails("no linear layer", new QuantizationPlan { Overrides = [("*", null)] });
        Fails("calibration", new QuantizationPlan { Scheme = QuantizationScheme.EightBitsStatic });
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => Quantization.Quantize(model, cancellation: cancelled.Token));
        Assert.True(before.Equals(model.forward(tokens)));
        Assert.Null(model.Packing);
        using (no_grad()) model.get_parameter("h.1.mlp.c_proj.weight")![0, 0] = float.NaN;
        Fails("h.1.mlp.c_proj", new QuantizationPlan());
        Assert.Null(model.Packing);
    }

    [Fact]
    public void Files_that_lie_are_refused_and_leave_the_model_as_it_was()
    {
        using var model = Model();
        Quantization.Quantize(model, QuantizationScheme.FourBits(16));
        var file = Path.Combine(folder.FullName, "model.safetensors");
        QuantizedFiles.Save(model, file);
        var tensors = SafetensorsFile.Read(file);
        string text;
        using (var reader = CheckpointReader.Open(file)) text = reader.Metadata["quantization"];
        using var other = Model(seed: 9);
        var before = other.forward(Tokens());
        void Fails(string says, Action<Dictionary<string, Tensor>> change, string? scheme = null)
        {
            var changed = new Dictionary<string, Tensor>(tensors);
            change(changed);
            var path = Path.Combine(folder.FullName, "wrong.safetensors");
            SafetensorsFile.Write(path, changed, new Dictionary<string, string> { ["quantization"] = scheme ?? text });
            var error = Assert.Throws<InvalidDataException>(() => QuantizedFiles.Load(other, path));
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
            Assert.True(before.Equals(other.forward(Tokens())));
        }
        const string name = "h.0.attn.c_proj";
        Fails("lacks " + name + ".scales", changed => changed.Remove(name + ".scales"));
        Fails(name + ".codes", changed => changed[name + ".codes"] = zeros(3, 4, uint8));
        Fails(name + ".scales", changed => changed[name + ".scales"] = full_like(tensors[name + ".scales"], float.NaN));
        Fails("lacks ln_f.bias", changed => changed.Remove("ln_f.bias"));
        Fails("is not understood", _ => { }, "{");
        Fails("names no layer", _ => { }, "{}");
        Fails("no linear layer", _ => { }, text.Replace(name, "h.7.attn", StringComparison.Ordinal));
        Fails("Bits", _ => { }, text.Replace("\"Bits\":4", "\"Bits\":40", StringComparison.Ordinal));
        Fails("not known", _ => { }, text.Replace("Group\"", "Moon\"", StringComparison.Ordinal));
        Assert.Contains("no quantized model", Assert.Throws<InvalidDataException>(() =>
        {
            var path = Path.Combine(folder.FullName, "plain.safetensors");
            SafetensorsFile.Write(path, tensors);
            QuantizedFiles.Load(other, path);
        }).Message, StringComparison.Ordinal);
    }

    /// <summary>The reference for a table that is the output layer too.</summary>
    private static void SimulateTable(nn.Module model, QuantizationScheme scheme)
    {
        using var noGrad = no_grad();
        using var weight = model.get_parameter("wte.weight")!.alias();
        using var codes = QuantizedTensor.Round(weight, scheme);
        using var numbers = codes.Dequantize();
        weight.copy_(numbers);
    }

    private static double Loss(Tensor logits, Tensor tokens) =>
        nn.functional.cross_entropy(logits[.., ..^1].flatten(0, 1), tokens[.., 1..].flatten()).item<float>();

    private static Gpt Model(long seed = 3)
    {
        Compute.Seed(seed);
        var model = new Gpt(GptConfig.Nano with { VocabularySize = 65 });
        model.eval();
        return model;
    }

    private static Tensor Tokens(long seed = 1)
    {
        manual_seed(seed);
        return randint(0, 65, [4, 16], int64);
    }

    private sealed class UsersModel : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear first = nn.Linear(12, 20);
        private readonly TorchSharp.Modules.Sequential rest =
            nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 6, hasBias: false));

        public UsersModel() : base(nameof(UsersModel)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var inner = first.call(input);
            return rest.call(inner);
        }
    }
}
