using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Compression;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_pruned_model_of_every_family_comes_back_bit_for_bit()
    {
        using var noGrad = no_grad();
        var random = new Random(4);
        foreach (var one in PruningCase.All)
        {
            using var model = one.Model(ScalarType.Float32);
            using var smaller = StructuredPruning.Remove(model, PruningCase.Choice(model, random));
            ModelFolder.Save(smaller, folder.Path);
            using var back = ModelFolder.Load<nn.Module>(folder.Path);
            Assert.Equal(smaller.GetType(), back.GetType());
            Assert.False(back.training);
            var tensors = back.state_dict();
            Assert.All(smaller.state_dict(), pair => Assert.True(pair.Value.Equals(tensors[pair.Key]), pair.Key));
            Assert.True((one.Run(smaller) - one.Run(back)).abs().max().item<float>() < 1e-4, one.Name);
        }
    }

    [Fact]
    public void Scaled_rotary_positions_and_classes_are_told_apart()
    {
        using var llama = new Llama(LlamaConfig.Nano with { RotaryScaling = new RotaryScaling.Llama3(8, 1, 4, 16) });
        ModelFolder.Save(llama, folder.Path);
        using var back = ModelFolder.Load<Llama>(folder.Path);
        Assert.Equal(llama.Config, back.Config);
        Assert.Contains("describes a Llama; expected a Gpt", Assert.Throws<InvalidDataException>(() =>
            ModelFolder.Load<Gpt>(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("ModelFolder.Load<Llama>", Assert.Throws<InvalidDataException>(() =>
            Llama.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"ModelWidth\": 32", "\"ModelWidth\": 48", "does not fit its configuration")]
    [InlineData("\"Layers\": 2", "\"Layers\": 2000000000", "describes 2000000000 layers")]
    [InlineData("\"Layers\": 2", "\"Layers\": null", "does not describe a valid model")]
    [InlineData("\"Layers\": 2", "\"Layres\": 2", "does not describe a valid model")]
    [InlineData("\"LayerHeads\": null", "\"LayerHeads\": [4]", "expected 2 numbers")]
    [InlineData("\"model\": \"Gpt\"", "\"model\": \"Net\"", "expected one of Gpt, Llama")]
    [InlineData("\"researchkit\": 1,", "", "FromPretrained reads")]
    public void A_configuration_that_lies_is_refused(string from, string to, string expected)
    {
        using var model = new Gpt(GptConfig.Nano);
        ModelFolder.Save(model, folder.Path);
        var path = Path.Combine(folder.Path, "config.json");
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => ModelFolder.Load<Gpt>(folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_reference_libraries_cannot_read_is_said_at_saving()
    {
        void Refused(Action save, string expected)
        {
            var message = Assert.Throws<ArgumentException>(save).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
            Assert.Contains("ModelFolder.Save", message, StringComparison.Ordinal);
        }
        using var gpt = new Gpt(GptConfig.Nano);
        using var gptHeads = StructuredPruning.Remove(gpt, "h.1.attn", 2);
        Refused(() => gptHeads.SavePretrained(folder.Path), "LayerHeads is [4, 3], which the configuration of GPT-2");
        using var gptWidth = StructuredPruning.Remove(gpt, "width", 2);
        Refused(() => gptWidth.SavePretrained(folder.Path), "HeadWidth is 8");
        using var bert = StructuredPruning.Remove(new Bert(BertConfig.Nano), "encoder.layer.0.intermediate", 1);
        Refused(() => bert.SavePretrained(folder.Path), "LayerFeedForwardWidths is [127, 128]");
        using var t5 = StructuredPruning.Remove(new T5(T5Config.Nano), "decoder.SelfAttention", 1);
        Refused(() => t5.SavePretrained(folder.Path), "DecoderHeads is 3");
        using var vgg = StructuredPruning.Remove(new Vgg(VggConfig.Nano), "features.0", 1);
        Refused(() => vgg.SavePretrained(folder.Path), "torchvision's networks are");
        using var googLeNet = StructuredPruning.Remove(new GoogLeNet(GoogLeNetConfig.Nano), "conv1", 1);
        Refused(() => googLeNet.SavePretrained(folder.Path), "Channels is conv1 15");
    }

    private static Llama Evaluated(Llama model)
    {
        model.eval();
        return model;
    }

    [Fact]
    public void A_Llama_with_equal_layers_goes_to_the_reference_library()
    {
        using var noGrad = no_grad();
        using var llama = new Llama(LlamaConfig.Nano);
        using var smaller = StructuredPruning.Remove(llama, new Dictionary<string, IReadOnlyList<int>>
        {
            ["width"] = [3, 4],
            ["model.layers.0.self_attn"] = [0],
            ["model.layers.1.self_attn"] = [1],
        });
        smaller.SavePretrained(folder.Path);
        Assert.Contains("\"head_dim\": 8", File.ReadAllText(Path.Combine(folder.Path, "config.json")), StringComparison.Ordinal);
        using var back = Llama.FromPretrained(folder.Path);
        Assert.Equal(smaller.Config, back.Config);
        var tokens = tensor(new long[] { 3, 4, 5 }).unsqueeze(0);
        Assert.True(Evaluated(smaller).call(tokens).Equals(back.call(tokens)));
    }
}
