using ResearchKit.Compression;
using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

/// <summary>Adapters on quantized weights (QLoRA).</summary>
public sealed class QuantizedAdapterTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string> Schemes => ["nf4", "int8", "int4 affine", "int3"];

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Schemes))]
    public void The_layer_multiplies_by_the_numbers_of_the_codes(string name)
    {
        using var model = Model();
        using var simulated = Model();
        Quantization.Simulate(simulated, new QuantizationPlan { Scheme = Scheme(name) });
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Base = Scheme(name) });
        var tokens = randint(0, 20, [2, 8]);
        Assert.True(simulated.forward(tokens).Equals(model.forward(tokens)));   // B is zero: bit for bit
        Assert.All(Adapters.Of(model).Values, adapter => Assert.Equal(Scheme(name), adapter.Base));
    }

    [Fact]
    public void Only_adapters_get_gradients_and_they_are_those_on_the_dequantized_weights()
    {
        using var model = Model();
        using var plain = Model();
        Quantization.Simulate(plain, new QuantizationPlan { Scheme = QuantizationScheme.Nf4(16) });
        Adapters.Attach(plain, new LowRankOptions { Rank = 4 });
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Base = QuantizationScheme.Nf4(16) });
        using (no_grad())
            foreach (var (from, to) in Adapters.Parameters(plain).Zip(Adapters.Parameters(model)))
            {
                from.Parameter.add_(randn_like(from.Parameter) * 0.1);
                to.Parameter.copy_(from.Parameter);
            }
        var tokens = randint(0, 20, [2, 8]);
        foreach (var one in new[] { plain, model })
            nn.functional.cross_entropy(one.forward(tokens).flatten(0, 1), tokens.flatten()).backward();
        foreach (var (expected, actual) in Adapters.Parameters(plain).Zip(Adapters.Parameters(model)))
            Near.Check(expected.Name, expected.Parameter.grad!, actual.Parameter.grad!, 1e-6);
        Assert.All(model.named_parameters(), pair =>
            Assert.Equal(pair.name.Contains("lora_", StringComparison.Ordinal), pair.parameter.grad is not null));
    }

    [Theory]
    [InlineData("nf4")]
    [InlineData("int4 affine")]
    public void A_trainers_checkpoint_keeps_the_codes_and_resumes_bit_for_bit(string scheme)
    {
        var folder = Directory.CreateTempSubdirectory("researchkit-tests-");
        try
        {
            var whole = Trained(scheme, null, 4);
            Trained(scheme, folder.FullName, 2).ForEach(tensor => tensor.Dispose());
            var resumed = Trained(scheme, folder.FullName, 4);
            Assert.Equal(whole.Count, resumed.Count);
            Assert.All(whole.Zip(resumed), pair => Assert.True(pair.First.Equals(pair.Second)));
            using var stored = ResearchKit.Checkpoints.CheckpointReader.Open(Directory.GetFiles(folder.FullName, "model*",
                SearchOption.AllDirectories).First());
            Assert.Contains("h.0.attn.c_attn.adapter.codes.codes", stored.Entries.Keys);
            Assert.DoesNotContain("h.0.attn.c_attn.weight", stored.Entries.Keys);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Codes and adapters after training, from the newest checkpoint of a folder if it has one.</summary>
    private static List<Tensor> Trained(string scheme, string? folder, int steps)
    {
        using var model = Model();
        // other weights than at the first start: the codes come from the checkpoint
        if (folder is not null && steps == 4)
            using (no_grad())
                foreach (var parameter in model.parameters()) parameter.mul_(1.5);
        Adapters.Attach(model, new LowRankOptions { Rank = 2, Base = Scheme(scheme) });
        random.manual_seed(3);
        var tokens = randint(0, 20, [8, 8]);
        var loader = new BatchLoader(new TensorExamples(tokens, tokens), 4, seed: 1);
        using var trainer = new Trainer(model, Losses.CrossEntropy, loader, new TrainerOptions
        {
            Steps = 4,
            LearningRate = 1e-2,
            WarmupSteps = 1,
            EvaluateEvery = null,
            Checkpoints = folder is null ? null : new(folder, 2),
        });
        if (folder is not null && steps == 4) trainer.Resume(folder);
        foreach (var report in trainer.Run())
            if (report.Step == steps) break;
        return [.. model.state_dict().Values.Select(tensor => tensor.detach().clone())];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Training_lowers_the_loss_and_keeps_no_tensors(bool magnitudes)
    {
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Base = QuantizationScheme.Nf4(16), HasMagnitudes = magnitudes });
        using var optimizer = optim.Adam(Adapters.Parameters(model).Select(pair => pair.Parameter), lr: 0.02);
        var tokens = randint(0, 20, [2, 8]);
        var first = Step();
        Step();
        var live = LiveTensors.Count;
        for (var step = 0; step < 20; step++) Step();
        Assert.Equal(live, LiveTensors.Count);
        Assert.InRange(Step(), 0, 0.95 * first);

        double Step()
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(model.forward(tokens).flatten(0, 1), tokens.flatten());
            loss.backward();
            optimizer.step();
            return loss.item<float>();
        }
    }

    [Fact]
    public void Codes_of_4_bits_take_half_a_byte_and_the_weight_is_freed()
    {
        using var layer = new Dense(64, 32, hasBias: false);
        using var model = nn.Sequential(("linear", layer));
        Adapters.Attach(model, new LowRankOptions { Rank = 2, Base = QuantizationScheme.Nf4(64) });
        Assert.Equal((32 * 64 / 2) + (32 * 4), Adapters.Of(model)["linear"].Codes!.Bytes);
        Assert.Equal(0, layer.weight.stride(0));   // one number stands for all
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merging_rounds_again_and_says_by_how_much_and_unmerging_takes_it_back(bool magnitudes)
    {
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Base = QuantizationScheme.Nf4(16), HasMagnitudes = magnitudes });
        using (no_grad())
            foreach (var (_, parameter) in Adapters.Parameters(model)) parameter.add_(randn_like(parameter) * 0.05);
        var tokens = randint(0, 20, [2, 8]);
        var adapted = model.forward(tokens);
        var (name, one) = Adapters.Of(model).First();
        var exact = one.Adapted(one.Codes!.Numbers());
        var report = Adapters.Merge(model);
        var error = ((one.Codes!.Numbers() - exact).norm() / exact.norm()).item<float>();
        Assert.Equal(error, report.Layers.Single(layer => layer.Name == name).RoundingError!.Value, 1e-6);
        Assert.InRange(report.LargestRoundingError!.Value, 0.03, 0.2);
        Assert.Contains("rounding to codes again", report.ToString(), StringComparison.Ordinal);
        Assert.InRange(((model.forward(tokens) - adapted).norm() / adapted.norm()).item<float>(), 1e-4, 0.5);
        Adapters.Unmerge(model);
        Assert.True(adapted.Equals(model.forward(tokens)));
    }

    [Fact]
    public void A_merged_model_is_saved_after_its_weights_are_ordinary_again()
    {
        using var folder = new TemporaryFolder();
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Base = QuantizationScheme.EightBits });
        Adapters.Merge(model);
        Assert.Contains("Adapters.Dequantize", Assert.Throws<InvalidOperationException>(() => model.PackForInference()).Message,
            StringComparison.Ordinal);
        var tokens = randint(0, 20, [2, 8]);
        var merged = model.forward(tokens);
        Adapters.Dequantize(model);
        Near.Check("dequantized", merged, model.forward(tokens), 1e-6);
        using var packed = model.PackForInference();
        Assert.Throws<InvalidOperationException>(() => Adapters.Dequantize(model));
    }

    [Fact]
    public void A_base_that_cannot_be_rounded_is_refused_and_the_model_stays()
    {
        using var model = Model();
        var options = new LowRankOptions { Rank = 4, Base = QuantizationScheme.Nf4(24) };   // rows of 32
        Assert.Contains("groups of 24", Assert.Throws<ArgumentException>(() => Adapters.Attach(model, options)).Message,
            StringComparison.Ordinal);
        using (no_grad()) model.get_parameter("h.1.mlp.c_fc.weight")![0, 0] = float.NaN;
        Assert.Contains("h.1.mlp.c_fc", Assert.Throws<ArgumentException>(() =>
            Adapters.Attach(model, options with { Base = QuantizationScheme.Nf4(16) })).Message, StringComparison.Ordinal);
        Assert.Empty(Adapters.Of(model));
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    private static QuantizationScheme Scheme(string name) => name switch
    {
        "nf4" => QuantizationScheme.Nf4(16),
        "int8" => QuantizationScheme.EightBits,
        "int4 affine" => QuantizationScheme.FourBits(8),
        _ => new QuantizationScheme { Bits = 3 },
    };

    private static Gpt Model()
    {
        Compute.Seed(3);
        var model = new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 });
        model.eval();
        return model;
    }
}
