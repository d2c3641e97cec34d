using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>What wrappers put before the names of tensors is taken off, and said.</summary>
public sealed class WrapperNamesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("gpt2-a", "module.")]
    [InlineData("gpt2-a", "_orig_mod.")]
    [InlineData("gpt2-a", "module._orig_mod.")]
    [InlineData("gpt2-a", "model.")]
    [InlineData("gpt2-a", "model._orig_mod.module.")]
    [InlineData("gpt2-a", "net.backbone.")]
    [InlineData("bert-model-a", "encoder.")]
    [InlineData("bert-cls-a", "model.")]
    [InlineData("vit-a", "module.")]
    [InlineData("llama-a", "model.")]
    [InlineData("llama-a", "_forward_module.model.")]
    public void A_beginning_is_taken_off_if_the_names_then_fit(string name, string prefix)
    {
        Place(name, key => prefix + key);
        using var model = name == "gpt2-a" ? Gpt.FromPretrained(folder.Path) : PretrainedCases.Load(name, folder.Path);
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        using var plain = name == "gpt2-a" ? Gpt.FromPretrained(golden) : PretrainedCases.Load(name, golden);
        Assert.Equal(plain.state_dict().Keys, model.state_dict().Keys);
        Assert.All(plain.state_dict(), pair => Assert.True(pair.Value.Same(model.state_dict()[pair.Key]), pair.Key));
        if (prefix != "model." || name != "llama-a")   // there it is part of the published names too
            Assert.Contains("taken off the names", model.LoadReport!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Wrappers_inside_the_names_are_taken_off_too()
    {
        Place("bert-cls-a", key => key.Replace("bert.encoder.layer.0.", "bert.encoder.layer.0._orig_mod.",
            StringComparison.Ordinal)
            .Replace("classifier.", "classifier.module.", StringComparison.Ordinal));
        using var model = BertForSequenceClassification.FromPretrained(folder.Path);
        using var golden = new Golden.GoldenCase("bert-cls-a");
        PretrainedCases.Check(golden, model);
    }

    [Fact]
    public void Names_beside_the_beginning_are_left_out_and_listed()
    {
        Place("gpt2-a", key => "model." + key, ("criterion.weight", ones(3)));
        using var model = Gpt.FromPretrained(folder.Path);
        Assert.Equal("model.", model.LoadReport!.Prefix);
        Assert.Contains("criterion.weight", model.LoadReport!.LeftOut);
    }

    [Fact]
    public void Two_models_in_one_file_are_not_mixed_up()
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", "gpt2-a", "model.safetensors");
        Place("gpt2-a", key => "student." + key,
            [.. SafetensorsFile.Read(golden).Select(pair => ($"teacher.{pair.Key}", pair.Value))]);
        var message = Assert.Throws<InvalidDataException>(() => Gpt.FromPretrained(folder.Path)).Message;
        Assert.Contains("names that begin with student. and with teacher. fit", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Problems_are_listed_for_the_beginning_that_fits_best()
    {
        Place("bert-cls-a", key => key == "classifier.bias" ? "" : "model." + key);
        Assert.Contains("(with 'model.' taken off the names): classifier.bias is missing. FromPretrained(folder, labels: 5)",
            Assert.Throws<InvalidDataException>(() => BertForSequenceClassification.FromPretrained(folder.Path)).Message,
            StringComparison.Ordinal);
        using var model = BertForSequenceClassification.FromPretrained(folder.Path, labels: 3);
        Assert.Equal("classifier.bias [3] (missing in the file)", Assert.Single(model.LoadReport!.New));
    }

    [Fact]
    public void A_state_dict_of_a_wrapped_module_loads_into_the_module()
    {
        using var linear = nn.Linear(2, 1);
        SafetensorsFile.Write(folder.PathTo("a.safetensors"),
            [new("model._orig_mod.weight", ones(1, 2)), new("model._orig_mod.bias", ones(1))]);
        StateDict.Load(linear, folder.PathTo("a.safetensors"));
        Assert.Equal(2, linear.weight!.sum().item<float>());
        SafetensorsFile.Write(folder.PathTo("b.safetensors"), [new("model.weight", ones(1, 2)), new("other.bias", ones(1))]);
        Assert.Contains("weight is missing", Assert.Throws<InvalidDataException>(() =>
            StateDict.Load(linear, folder.PathTo("b.safetensors"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_chooses_the_state_dict_of_a_folder()
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", "gpt2-a");
        File.Copy(Path.Combine(golden, "config.json"), folder.PathTo("config.json"));
        File.Copy(Path.Combine(golden, "pytorch_model.bin"), folder.PathTo("pytorch_model.bin"));
        Assert.Contains("no state dict 'ema'; it has the top level",
            Assert.Throws<InvalidDataException>(() => Gpt.FromPretrained(folder.Path, key: "ema")).Message,
                StringComparison.Ordinal);
    }

    private void Place(string name, Func<string, string> rename, params (string Name, Tensor Tensor)[] more)
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        File.Copy(Path.Combine(golden, "config.json"), folder.PathTo("config.json"));
        var tensors = SafetensorsFile.Read(Path.Combine(golden, "model.safetensors"))
            .Select(pair => (Name: rename(pair.Key), Tensor: pair.Value)).Where(pair => pair.Name.Length > 0).Concat(more);
        SafetensorsFile.Write(folder.PathTo("model.safetensors"), tensors.Select(pair => new KeyValuePair<string,
            Tensor>(pair.Name, pair.Tensor)));
    }
}
