using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class GptPretrainedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("gpt2-a", "model.safetensors", true)]
    [InlineData("gpt2-a", "model.safetensors", false)]
    [InlineData("gpt2-a", "pytorch_model.bin", true)]
    [InlineData("gpt2-b", "model.safetensors", true)]
    public void A_published_checkpoint_gives_the_reference_logits(string name, string weights, bool mapped)
    {
        using var golden = new GoldenCase(name);
        Place(name, weights);
        using var model = Gpt.FromPretrained(folder.Path, mapped);
        Assert.False(model.training);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
        Check(golden, model);
    }

    [Fact]
    public void A_loaded_model_can_be_trained()
    {
        using var golden = new GoldenCase("gpt2-a");
        Place("gpt2-a", "model.safetensors");
        using var model = Gpt.FromPretrained(folder.Path);
        var (tokens, labels) = (golden["in.input_ids"], golden["in.labels"]);
        var logits = model.call(tokens)[.., ..^1].flatten(0, 1);
        nn.functional.cross_entropy(logits, labels[.., 1..].flatten(), ignore_index: -100).backward();
        golden.Check("grad.transformer.h.0.attn.c_attn.weight", model.get_parameter("h.0.attn.c_attn.weight")!.grad!);

        using var optimizer = new FusedAdamW(model.named_parameters());
        var before = model.get_parameter("wte.weight")!.clone();
        optimizer.Step();
        Assert.True(before.ne(model.get_parameter("wte.weight")!).any().item<bool>());
        using (var again = Gpt.FromPretrained(folder.Path)) Assert.True(Same(before, again.get_parameter("wte.weight")!));
        model.SavePretrained(folder.Path);   // over the file that the model lies on
        using (var again = Gpt.FromPretrained(folder.Path))
            Assert.True(Same(model.get_parameter("wte.weight")!, again.get_parameter("wte.weight")!));

        model.to(float64);
        Assert.All(model.parameters(), parameter => Assert.Equal(float64, parameter.dtype));
        Assert.Equal(float64, model.call(tokens).dtype);
    }

    [Theory]
    [InlineData("gpt2-a", long.MaxValue)]
    [InlineData("gpt2-b", long.MaxValue)]
    [InlineData("gpt2-b", 40_000)]
    public void A_saved_folder_has_the_names_fields_and_numbers_of_the_reference(string name, long shardBytes)
    {
        using var golden = new GoldenCase(name);
        Place(name, "model.safetensors");
        using var model = Gpt.FromPretrained(folder.Path);
        var saved = folder.PathTo("saved");
        model.SavePretrained(saved, shardBytes);

        using (var reference = CheckpointReader.Open(Path.Combine(GoldenFolder(name), "model.safetensors")))
        using (var own = CheckpointReader.Open(CheckpointFolder.Weights(saved)))
        {
            Assert.Equal("pt", own.Metadata["format"]);
            Assert.Equal(reference.Entries.Keys.Where(key => !key.EndsWith(".attn.bias", StringComparison.Ordinal))
                .Select(key => Published(key)).Order(), own.Entries.Keys.Order());
            foreach (var key in own.Entries.Keys)
                Assert.True(Same(reference.Read(reference.Entries.Keys.Single(name => Published(name) == key)), own.Read(key)),
                    key);
            Assert.Equal(shardBytes < long.MaxValue, Directory.GetFiles(saved, "model-0000?-of-0000?.safetensors").Length > 1);
        }
        var (expected, written) =
            (JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenFolder(name), "config.json")))!.AsObject(),
            JsonNode.Parse(File.ReadAllText(Path.Combine(saved, "config.json")))!.AsObject());
        foreach (var (field, value) in written)
            if (expected.ContainsKey(field) && field is not ("bos_token_id" or "eos_token_id"))
                Assert.True(JsonNode.DeepEquals(expected[field], value), $"{field}: {expected[field]} and {value}");

        using var again = Gpt.FromPretrained(saved);
        Check(golden, again);
    }

    [Fact]
    public void A_second_save_removes_the_files_of_the_first()
    {
        using var model = new Gpt(GptConfig.Nano);
        model.SavePretrained(folder.Path, 20_000);
        model.SavePretrained(folder.Path, 30_000);
        using (var second = CheckpointReader.Open(CheckpointFolder.Weights(folder.Path)))
            Assert.Equal(model.state_dict().Count, second.Entries.Count);
        var files = Directory.GetFiles(folder.Path).Length;
        model.SavePretrained(folder.Path);
        Assert.True(files > 3);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        model.SavePretrained(folder.Path, 20_000);
        Assert.Equal("model.safetensors.index.json", Path.GetFileName(CheckpointFolder.Weights(folder.Path)));
    }

    [Theory]
    [InlineData("bert", "model_type", "expected 'gpt2'")]
    [InlineData("many", "n_layer", "expected a whole number of at least 1")]
    [InlineData(2_000_000_000, "n_layer", "describes 2000000000 layers")]
    [InlineData(2_147_483_644, "n_embd", "config.json")]
    [InlineData(2_147_483_647, "vocab_size", "the model has [2147483647, 48]")]
    [InlineData(0, "n_layer", "expected a whole number of at least 1")]
    [InlineData(1.5, "vocab_size", "vocab_size is 1.5")]
    [InlineData("softsign", "activation_function", "gelu_new")]
    [InlineData(true, "add_cross_attention", "false")]
    [InlineData(5, "n_head", "ModelWidth 48 is not divisible by Heads 5")]
    [InlineData("yes", "tie_word_embeddings", "true or false")]
    [InlineData("small", "layer_norm_epsilon", "a number")]
    public void An_invalid_or_unsupported_configuration_is_refused(object value, string field, string expected)
    {
        Place("gpt2-a", "model.safetensors");
        Edit(config => config[field] = JsonValue.Create(value));
        Assert.Contains(expected, Refused<InvalidDataException>(), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_unexpected_and_misshaped_tensors_are_all_named()
    {
        Place("gpt2-a", "model.safetensors");
        Edit(config => config["n_layer"] = 2);
        Assert.Contains("h.2.ln_1.weight is unexpected", Refused<InvalidDataException>(), StringComparison.Ordinal);
        Edit(config => config["n_layer"] = 4);
        Assert.Contains("h.3.attn.c_attn.bias is missing", Refused<InvalidDataException>(), StringComparison.Ordinal);
        Edit(config => (config["n_layer"], config["vocab_size"]) = (3, 256));
        Assert.Contains("does not fit the model Gpt: wte.weight is [257, 48], the model has [256, 48]. FromPretrained(folder, "
            + "vocabularySize:",
            Refused<InvalidDataException>(), StringComparison.Ordinal);

        Edit(config => config["tie_word_embeddings"] = false);
        Assert.Contains("lm_head.weight is missing", Refused<InvalidDataException>(), StringComparison.Ordinal);
        var weights = SafetensorsFile.Read(folder.PathTo("model.safetensors"));
        weights["transformer.wte.weight"] = weights["wte.weight"];
        weights["wpe.weight"] = weights["wpe.weight"].to(int64);
        SafetensorsFile.Write(folder.PathTo("model.safetensors"), weights);
        var both = Refused<InvalidDataException>();
        Assert.Contains("are the same tensor wte.weight", both, StringComparison.Ordinal);
        Assert.Contains("wpe.weight is I64, the model has Float32", both, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_malformed_files_are_refused_by_name()
    {
        Assert.Contains("config.json", Refused<FileNotFoundException>(), StringComparison.Ordinal);
        folder.File("config.json", "{}");
        Assert.Contains("model.safetensors", Refused<FileNotFoundException>(), StringComparison.Ordinal);
        folder.File("config.json", "[]");
        Assert.Contains("no JSON object", Refused<InvalidDataException>(), StringComparison.Ordinal);
        folder.File("config.json", "{");
        Assert.Contains("config.json", Refused<InvalidDataException>(), StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => Gpt.FromPretrained(folder.PathTo("none")));
    }

    [Fact]
    public void Old_names_and_a_tied_head_without_the_embedding_are_read()
    {
        using var model = new Gpt(GptConfig.Nano);
        model.SavePretrained(folder.Path);
        var weights = SafetensorsFile.Read(folder.PathTo("model.safetensors"));
        var table = weights["transformer.wte.weight"];
        weights.Remove("transformer.wte.weight");
        weights["lm_head.weight"] = table;
        weights["transformer.h.0.attn.masked_bias"] = tensor(-1e4f);
        SafetensorsFile.Write(folder.PathTo("model.safetensors"), weights);
        using var read = Gpt.FromPretrained(folder.Path);
        Assert.True(Same(table, read.state_dict()["wte.weight"]));
    }

    [Fact]
    public void Saving_a_model_with_positions_that_GPT2_lacks_is_refused()
    {
        using var model = new Gpt(GptConfig.Nano with { Positions = Positions.Rotary });
        Assert.Contains("Rotary", Assert.Throws<ArgumentException>(() => model.SavePretrained(folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Loading_leaks_no_tensor_and_keeps_the_default_device()
    {
        Place("gpt2-a", "model.safetensors");
        Gpt.FromPretrained(folder.Path).Dispose();
        var config = new GptConfig { VocabularySize = 257, ContextLength = 48, ModelWidth = 48, Heads = 4, Layers = 3 };
        Assert.Equal(Growth(() => new Gpt(config).Dispose()), Growth(() => Gpt.FromPretrained(folder.Path).Dispose()));
        Edit(file => file["n_layer"] = 4);
        Assert.Equal(Growth(() => new Gpt(config with { Layers = 4 }).Dispose()), Growth(() => Refused<InvalidDataException>()));
        Assert.Equal(DeviceType.CPU, get_default_device().type);
    }

    /// <summary>Tensors more than before; TorchSharp itself miscounts one for each parameter that it makes.</summary>
    private static long Growth(Action action)
    {
        var before = LiveTensors.Count;
        action();
        return LiveTensors.Count - before;
    }

    private static void Check(GoldenCase golden, Gpt model)
    {
        golden.Check("out.logits",
            model.Logits(golden["in.input_ids"], golden.Has("in.attention_mask") ? golden["in.attention_mask"] : null));
    }

    /// <summary>The published gpt2 files, and gpt2-a, lack the base model's prefix; the reference writes it.</summary>
    private static string Published(string name) =>
        name.StartsWith("transformer.", StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal)
            ? name : $"transformer.{name}";

    private static bool Same(Tensor one, Tensor other) => one.dtype == other.dtype && one.eq(other).all().item<bool>();

    private static string GoldenFolder(string name) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);

    private void Place(string name, string weights)
    {
        foreach (var file in new[] { "config.json", weights })
            File.Copy(Path.Combine(GoldenFolder(name), file), folder.PathTo(file));
    }

    private void Edit(Action<JsonObject> edit)
    {
        var config = JsonNode.Parse(File.ReadAllText(folder.PathTo("config.json")))!.AsObject();
        edit(config);
        folder.File("config.json", config.ToJsonString());
    }

    private string Refused<T>() where T : Exception => Assert.Throws<T>(() => Gpt.FromPretrained(folder.Path)).Message;
}
