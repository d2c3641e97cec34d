using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class AdapterTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void LoRA_equals_the_reference(int seed)
    {
        using var golden = new CompressionGolden("lora", seed);
        foreach (var name in golden.Names.Select(name => name.Split('/')[0]).Distinct())
        {
            var numbers = name[1..].Split("_a").Select(int.Parse).ToArray();
            using var layer = new Dense(golden.Weight.shape[1], golden.Weight.shape[0]);
            using (no_grad())
            {
                layer.weight.copy_(golden.Weight);
                layer.bias!.copy_(golden.Bias);
            }
            using var model = nn.Sequential(("linear", layer));
            Adapters.Attach(model, new LowRankOptions { Rank = numbers[0], Alpha = numbers[1] });
            var adapter = Assert.Single(Adapters.Of(model)).Value;
            using (no_grad())
            {
                adapter.A.copy_(golden[$"{name}/A"]);
                adapter.B.copy_(golden[$"{name}/B"]);
            }
            var x = golden.Calibration[..16];
            var y = model.forward(x);
            Near.Check("output", golden[$"{name}/forward"], y, 5e-6);
            var loss = nn.functional.mse_loss(y, golden[$"{name}/target"]);
            loss.backward();
            Near.Check("loss", golden[$"{name}/loss"], loss, 5e-6);
            Near.Check("gradient of A", golden[$"{name}/grad_A"], adapter.A.grad!, 5e-6);
            Near.Check("gradient of B", golden[$"{name}/grad_B"], adapter.B.grad!, 5e-6);
            Assert.Null(layer.weight.grad);
            Adapters.Merge(model);
            Near.Check("merged", golden[$"{name}/merged_weight"], layer.weight, 5e-6);
            Near.Check("merged output", golden[$"{name}/merged_forward"], model.forward(x), 5e-6);
        }
    }

    [Fact]
    public void A_new_adapter_changes_no_bit()
    {
        using var model = Model();
        var tokens = randint(0, 20, [2, 8]);
        var before = model.forward(tokens);
        var names = Adapters.Attach(model, new LowRankOptions { Rank = 4 });
        Assert.Contains(names, name => name.EndsWith("attn.c_attn", StringComparison.Ordinal));
        Assert.DoesNotContain(names, name => name.Contains("head", StringComparison.Ordinal));
        Assert.True(before.Equals(model.forward(tokens)));
        Assert.All(Adapters.Parameters(model), pair => Assert.Contains("lora_", pair.Name, StringComparison.Ordinal));
        var trained = Adapters.Parameters(model).Sum(pair => pair.Parameter.numel());
        Assert.Equal(Adapters.Of(model).Values.Sum(adapter => adapter.A.numel() + adapter.B.numel()), trained);
    }

    [Theory]
    [InlineData(false, LowRankStart.Zero)]
    [InlineData(true, LowRankStart.Zero)]
    [InlineData(false, LowRankStart.SingularValues)]
    public void Magnitudes_and_a_start_from_singular_values_change_nothing_but_rounding(bool magnitudes, LowRankStart start)
    {
        using var model = Model();
        var tokens = randint(0, 20, [2, 8]);
        var before = model.forward(tokens);
        Adapters.Attach(model, new LowRankOptions { Rank = 4, Alpha = 6, HasMagnitudes = magnitudes, Start = start });
        Near.Check("output", before, model.forward(tokens), 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merging_keeps_the_output_and_unmerging_gives_the_weights_back(bool magnitudes)
    {
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4, HasMagnitudes = magnitudes });
        using (no_grad())
            foreach (var (_, parameter) in Adapters.Parameters(model)) parameter.add_(randn_like(parameter) * 0.1);
        var tokens = randint(0, 20, [2, 8]);
        var weights = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var adapted = model.forward(tokens);
        Adapters.Merge(model);
        Near.Check("merged", adapted, model.forward(tokens), 1e-5);
        Assert.Throws<InvalidOperationException>(() => Adapters.Merge(model));
        Adapters.Unmerge(model);
        foreach (var (name, tensor) in model.state_dict()) Near.Check(name, weights[name], tensor, 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Adapters_are_the_same_after_saving_and_loading(bool magnitudes)
    {
        using var folder = new TemporaryFolder();
        using var model = Model();
        var options = new LowRankOptions { Rank = 3, Alpha = 5, HasMagnitudes = magnitudes, IsRankStabilized = true };
        Adapters.Attach(model, options);
        using (no_grad())
            foreach (var (_, parameter) in Adapters.Parameters(model)) parameter.add_(randn_like(parameter) * 0.1);
        AdapterFiles.Save(model, folder.Path, options);
        using var other = Model();
        var read = AdapterFiles.Load(other, folder.Path);
        Assert.Equal(options.Scale, read.Scale);
        var tokens = randint(0, 20, [2, 8]);
        Assert.True(model.forward(tokens).Equals(other.forward(tokens)));
        var names = SafetensorsFile.Read(Path.Combine(folder.Path, "adapter_model.safetensors")).Keys;
        Assert.Contains("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight", names);
        Assert.Contains("\"fan_in_fan_out\": true", File.ReadAllText(Path.Combine(folder.Path, "adapter_config.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_is_packed_with_merged_adapters_alone()
    {
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4 });
        using (no_grad())
            foreach (var (_, parameter) in Adapters.Parameters(model)) parameter.add_(randn_like(parameter) * 0.1);
        Assert.Contains("not merged", Assert.Throws<InvalidOperationException>(() => model.PackForInference()).Message,
            StringComparison.Ordinal);
        Adapters.Merge(model);
        using var packed = model.PackForInference();
        using var noGrad = no_grad();
        var tokens = randint(0, 20, [2, 8]);
        Near.Check("packed", model.forward(tokens), packed.forward(tokens), 1e-4);
    }

    [Fact]
    public void A_folder_is_saved_with_merged_adapters_alone_and_without_their_tensors()
    {
        using var folder = new TemporaryFolder();
        using var model = Model();
        Adapters.Attach(model, new LowRankOptions { Rank = 4 });
        using (no_grad())
            foreach (var (_, parameter) in Adapters.Parameters(model)) parameter.add_(randn_like(parameter) * 0.1);
        var error = Assert.Throws<InvalidOperationException>(() => model.SavePretrained(folder.Path));
        Assert.Contains("AdapterFiles.Save", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Adapters.Merge(model);
        model.SavePretrained(folder.Path);
        using var back = Gpt.FromPretrained(folder.Path);
        var tokens = randint(0, 20, [2, 8]);
        Assert.True(model.forward(tokens).Equals(back.forward(tokens)));
        Assert.DoesNotContain(SafetensorsFile.Read(Path.Combine(folder.Path, "model.safetensors")).Keys,
            name => name.Contains("lora", StringComparison.Ordinal));
    }

    [Fact]
    public void Adapters_of_another_model_are_refused_and_the_model_stays()
    {
        using var folder = new TemporaryFolder();
        using var model = Model();
        var options = new LowRankOptions { Rank = 3 };
        Adapters.Attach(model, options);
        AdapterFiles.Save(model, folder.Path, options);
        using var small = new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 1, ModelWidth = 16, Heads = 2 });
        Assert.Throws<InvalidDataException>(() => AdapterFiles.Load(small, folder.Path));
        Assert.Empty(Adapters.Of(small));
        Assert.All(small.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.Throws<ArgumentException>(() => Adapters.Attach(small, new LowRankOptions { Rank = 17 }));
        Assert.Throws<ArgumentException>(() => Adapters.Attach(small, new LowRankOptions { Targets = _ => false }));
        Assert.Throws<InvalidOperationException>(() => Adapters.Merge(small));
    }

    private static Gpt Model()
    {
        Compute.Seed(3);
        var model = new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 });
        model.eval();
        return model;
    }
}
