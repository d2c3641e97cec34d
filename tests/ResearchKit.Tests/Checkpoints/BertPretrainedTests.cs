using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders of one BERT class are read as another.</summary>
public sealed class BertPretrainedTests : IDisposable
{
    private static readonly BertConfig Nano = BertConfig.Nano with { Labels = 3, Dropout = 0.25, TokenTypes = 3 };
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Every_class_is_the_same_after_saving_and_loading()
    {
        Check(new Bert(Nano), model =>
            model.SavePretrained(folder.Path), () => Bert.FromPretrained(folder.Path), model => model.Config);
        Check(new Bert(Nano, withPooler: false), model =>
            model.SavePretrained(folder.Path), () => Bert.FromPretrained(folder.Path), model => model.Config);
        Check(new BertForMaskedLanguageModel(Nano), model => model.SavePretrained(folder.Path),
            () => BertForMaskedLanguageModel.FromPretrained(folder.Path), model => model.Config);
        Check(new BertForMaskedLanguageModel(Nano with { TieEmbeddings = false }), model => model.SavePretrained(folder.Path),
            () => BertForMaskedLanguageModel.FromPretrained(folder.Path), model => model.Config);
        Check(new BertForSequenceClassification(Nano), model => model.SavePretrained(folder.Path),
            () => BertForSequenceClassification.FromPretrained(folder.Path), model => model.Config);
        Check(new BertForTokenClassification(Nano), model => model.SavePretrained(folder.Path),
            () => BertForTokenClassification.FromPretrained(folder.Path), model => model.Config);
    }

    [Theory]
    [InlineData("BertModel", "embeddings.word_embeddings.weight", "pooler.dense.weight")]
    [InlineData("BertForMaskedLM", "bert.embeddings.word_embeddings.weight", "cls.predictions.bias")]
    [InlineData("BertForSequenceClassification", "bert.pooler.dense.weight", "classifier.weight")]
    [InlineData("BertForTokenClassification", "bert.embeddings.LayerNorm.bias", "classifier.bias")]
    public void A_saved_folder_has_the_class_and_tensor_names_of_the_reference(string architecture, params string[] names)
    {
        Save(architecture);
        Assert.Equal(architecture, (string)JsonNode.Parse(File.ReadAllText(folder.PathTo("config.json")))!["architectures"]![0]!);
        using var reader = CheckpointReader.Open(folder.PathTo("model.safetensors"));
        Assert.All(names, name => Assert.Contains(name, reader.Entries.Keys));
    }

    [Theory]
    [InlineData("BertForMaskedLM", false)]
    [InlineData("BertForTokenClassification", false)]
    [InlineData("BertForSequenceClassification", true)]
    public void Bert_loads_the_encoder_and_any_pooler_from_the_file_of_every_class(string architecture, bool pooler)
    {
        var expected = Save(architecture);
        using var bert = Bert.FromPretrained(folder.Path);
        var own = bert.state_dict();
        Assert.Equal(pooler, own.ContainsKey("pooler.dense.weight"));
        Assert.All(own, pair => Assert.True(pair.Value.Same(expected[$"bert.{pair.Key}"]), pair.Key));
    }

    [Theory]
    [InlineData("BertModel", "BertForMaskedLM", "cls.predictions.transform.dense.weight is missing")]
    [InlineData("BertForSequenceClassification", "BertForMaskedLM", "cls.predictions.bias is missing")]
    [InlineData("BertModel", "BertForSequenceClassification", "classifier.weight is missing; classifier.bias is missing.")]
    [InlineData("BertForMaskedLM", "BertForSequenceClassification", "bert.pooler.dense.weight is missing")]
    [InlineData("BertForMaskedLM", "BertForTokenClassification", "classifier.weight is missing; classifier.bias is missing.")]
    public void The_error_names_the_tensors_of_a_missing_head(string given, string asked, string expected)
    {
        Save(given);
        var error = Assert.Throws<InvalidDataException>(() => Load(asked).Dispose());
        Assert.Contains($"does not fit the model {asked.Replace("LM", "LanguageModel", StringComparison.Ordinal)}", error.Message,
            StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The published files are of pre-training: both heads, the pooler, old names, and a copy of the table.</summary>
    [Fact]
    public void A_pretraining_checkpoint_loads_as_each_class_that_it_contains()
    {
        var expected = Save("BertForMaskedLM");
        using (var bert = new BertForSequenceClassification(Nano))
            foreach (var (name, tensor) in bert.state_dict().Where(pair => pair.Key.Contains("pooler", StringComparison.Ordinal)))
                expected[name] = tensor.clone();
        var file = expected.ToDictionary(pair => pair.Key.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
            .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal), pair => pair.Value);
        file["bert.embeddings.position_ids"] = arange(32).unsqueeze(0);
        file["cls.predictions.decoder.weight"] = expected["bert.embeddings.word_embeddings.weight"];
        (file["cls.seq_relationship.weight"], file["cls.seq_relationship.bias"]) = (zeros(2, 32), zeros(2));
        SafetensorsFile.Write(folder.PathTo("model.safetensors"), file);

        foreach (var asked in new[] { "BertModel", "BertForMaskedLM" })
        {
            using var model = Load(asked);
            var own = model.state_dict();
            Assert.Equal(asked == "BertModel", own.ContainsKey("pooler.dense.bias"));
            foreach (var (name, tensor) in own)
                Assert.True(tensor.Same(expected[asked == "BertModel" ? $"bert.{name}" : name]), name);
        }
        Assert.Contains("BertForTokenClassification: classifier.weight is missing; classifier.bias is missing. "
            + "FromPretrained(folder, labels:",
            Assert.Throws<InvalidDataException>(() => Load("BertForTokenClassification").Dispose()).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_configuration_file_means_BERT_base()
    {
        folder.File("config.json", "{}");
        var read = BertFormat.Bare.Read(ConfigFile.Read(folder.Path));
        Assert.Equal(BertConfig.BaseUncased, read);
        folder.File("config.json", """{ "num_labels": 5 }""");
        Assert.Equal(5, BertFormat.Bare.Read(ConfigFile.Read(folder.Path)).Labels);
        folder.File("config.json", """{ "num_labels": 5, "id2label": { "0": "no", "1": "yes", "2": "perhaps" } }""");
        Assert.Equal(3, BertFormat.Bare.Read(ConfigFile.Read(folder.Path)).Labels);
    }

    [Theory]
    [InlineData("{ \"model_type\": \"be\u00ff\" }", "it is not UTF-8")]
    [InlineData("{ \"model_type\": \"\\ud800\" }", "model_type is \"\\ud800\"; expected strings without unpaired surrogates")]
    public void Invalid_UTF8_and_unpaired_surrogates_are_refused(string config, string expected)
    {
        File.WriteAllBytes(folder.PathTo("config.json"), System.Text.Encoding.Latin1.GetBytes(config));
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Load("BertModel").Dispose()).Message,
            StringComparison.Ordinal);
    }

    private static void Check<T>(T model, Action<T> save, Func<T> load, Func<T, BertConfig> config) where T : nn.Module
    {
        using (model)
        {
            save(model);
            using var read = load();
            Assert.Equal(config(model), config(read));
            Assert.Equal(model.state_dict().Keys, read.state_dict().Keys);
            foreach (var (name, tensor) in read.state_dict()) Assert.True(tensor.Same(model.state_dict()[name]), name);
        }
    }

    /// <summary>Writes a new model and gives its tensors.</summary>
    private Dictionary<string, Tensor> Save(string architecture)
    {
        Dictionary<string, Tensor> Tensors(nn.Module model) =>
            model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone());
        switch (architecture)
        {
            case "BertModel":
                using (var model = new Bert(Nano))
                {
                    model.SavePretrained(folder.Path);
                    return Tensors(model);
                }
            case "BertForMaskedLM":
                using (var model = new BertForMaskedLanguageModel(Nano))
                {
                    model.SavePretrained(folder.Path);
                    return Tensors(model);
                }
            case "BertForSequenceClassification":
                using (var model = new BertForSequenceClassification(Nano))
                {
                    model.SavePretrained(folder.Path);
                    return Tensors(model);
                }
            default:
                using (var model = new BertForTokenClassification(Nano))
                {
                    model.SavePretrained(folder.Path);
                    return Tensors(model);
                }
        }
    }

    private nn.Module Load(string architecture) => architecture switch
    {
        "BertModel" => Bert.FromPretrained(folder.Path),
        "BertForMaskedLM" => BertForMaskedLanguageModel.FromPretrained(folder.Path),
        "BertForSequenceClassification" => BertForSequenceClassification.FromPretrained(folder.Path),
        _ => BertForTokenClassification.FromPretrained(folder.Path),
    };
}
