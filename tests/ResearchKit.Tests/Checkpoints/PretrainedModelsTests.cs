using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders of transformers become the kit's models and come out as they were.</summary>
public sealed class PretrainedModelsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    public static TheoryData<string, string> Published => new()
    {
        { "bert-model-a", "model.safetensors" }, { "bert-model-a", "pytorch_model.bin" },
            { "bert-model-a", "pytorch_model.legacy.bin" },
        { "bert-mlm-a", "model.safetensors" }, { "bert-mlm-a", "pytorch_model.bin" }, { "bert-cls-a", "model.safetensors" },
        { "llama-a", "model.safetensors" }, { "llama-a", "pytorch_model.bin" }, { "llama-b", "model.safetensors" },
            { "llama-b", "sharded" },
        { "t5-a", "model.safetensors" }, { "t5-a", "pytorch_model.bin" }, { "t5-v11-b", "model.safetensors" },
        { "vit-a", "model.safetensors" }, { "vit-a", "pytorch_model.bin" }, { "vit-b", "model.safetensors" },
            { "vit-b", "pytorch_model.bin" },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_checkpoint_gives_the_reference_outputs(string name, string weights)
    {
        using var golden = new GoldenCase(name);
        Place(name, weights);
        foreach (var mapped in new[] { true, false })
        {
            using var model = PretrainedCases.Load(name, folder.Path, mapped);
            Assert.False(model.training);
            Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
            PretrainedCases.Check(golden, model);
        }
    }

    [Theory]
    [InlineData("bert-model-a")]
    [InlineData("bert-mlm-a")]
    [InlineData("bert-cls-a")]
    [InlineData("llama-a")]
    [InlineData("llama-b")]
    [InlineData("t5-a")]
    [InlineData("t5-v11-b")]
    [InlineData("vit-a")]
    [InlineData("vit-b")]
    public void A_saved_folder_has_the_reference_names_and_fields_and_loads_bit_identically(string name)
    {
        using var golden = new GoldenCase(name);
        Place(name, "model.safetensors");
        using var model = PretrainedCases.Load(name, folder.Path);
        var saved = folder.PathTo("saved");
        PretrainedCases.Save(model, saved);

        using (var reference = CheckpointReader.Open(folder.PathTo("model.safetensors")))
        using (var own = CheckpointReader.Open(Path.Combine(saved, "model.safetensors")))
            Assert.Equal(reference.Entries.Keys.Where(key => !IsOld(key)).Select(NewName).Order(), own.Entries.Keys.Order());
        var (expected, written) = (Json(folder.PathTo("config.json")), Json(Path.Combine(saved, "config.json")));
        foreach (var (field, value) in written.Where(field => field.Key != "torch_dtype"))   // the kit computes in float32
            Assert.True(expected.ContainsKey(field)
                && JsonNode.DeepEquals(expected[field], value), $"{field}: {expected[field]} and {value}");
        string[] unknown =   // of training, of generation, of the library, or of nothing that changes a number
        [
            "torch_dtype", "transformers_version", "initializer_range", "initializer_factor", "use_cache", "problem_type",
                "bos_token_id", "eos_token_id",
            "pretraining_tp", "encoder_stride", "tie_word_embeddings", "classifier_dropout", "id2label", "label2id",
        ];
        Assert.Empty(expected.Select(field => field.Key).Where(field => !written.ContainsKey(field)).Except(unknown));

        using var again = PretrainedCases.Load(name, saved);
        Assert.Equal(model.state_dict().Keys, again.state_dict().Keys);
        foreach (var (key, tensor) in again.state_dict()) Assert.True(tensor.Same(model.state_dict()[key]), key);
        PretrainedCases.Check(golden, again);
    }

    [Theory]
    [InlineData("llama-a", "rope_scaling", """{ "type": "dynamic", "factor": 2.0 }""", "rope_scaling: type is \"dynamic\"; expected \"default\", \"linear\" or")]
    [InlineData("llama-a", "rope_scaling", """{ "type": "linear", "factor": 0.5 }""", "rope_scaling: factor is 0.5; expected a number of at least 1")]
    [InlineData("llama-a", "rope_scaling", """{ "rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4 }""", "the turns go from 4 to 4")]
    [InlineData("llama-a", "rope_scaling", """{ "rope_type": "llama3", "factor": 8, "low_freq_factor": 4 }""", "rope_scaling: high_freq_factor is absent; expected a number")]
    [InlineData("llama-a", "rope_scaling", """{ "type": "linear" }""", "rope_scaling: factor is absent; expected a number")]
    [InlineData("llama-a", "rope_parameters", """{ "rope_type": "yarn" }""", "rope_parameters: rope_type is \"yarn\"")]
    [InlineData("llama-a", "rope_scaling", "2", "rope_scaling is 2; expected an object")]
    [InlineData("llama-a", "attention_bias", "true", "attention_bias is true; expected false")]
    [InlineData("llama-a", "mlp_bias", "true", "mlp_bias is true; expected false")]
    [InlineData("llama-a", "head_dim", "16", "q_proj.weight is [48, 48], the model has [64, 48]")]
    [InlineData("llama-a", "num_key_value_heads", "3", "Heads 4 is not divisible by KeyValueHeads 3")]
    [InlineData("llama-a", "num_key_value_heads", "2", "k_proj.weight is [48, 48], the model has [24, 48]")]
    [InlineData("llama-a", "pad_token_id", "160", "The padding token is 160; the table has 160 rows")]
    [InlineData("bert-model-a", "position_embedding_type", "\"relative_key\"", "expected \"absolute\", the only value")]
    [InlineData("bert-model-a", "is_decoder", "true", "is_decoder is true")]
    [InlineData("bert-model-a", "hidden_act", "\"mish\"", "hidden_act is \"mish\"; expected one of relu")]
    [InlineData("bert-model-a", "pad_token_id", "\"[PAD]\"", "expected a token's number or null")]
    [InlineData("bert-cls-a", "id2label", """{ "0": "A" }""", "classifier.weight is [3, 32], the model has [1, 32]")]
    [InlineData("bert-cls-a", "model_type", "\"roberta\"", "expected 'bert'")]
    [InlineData("t5-a", "feed_forward_proj", "\"gated-silu\"", "wi_0.weight is missing", "dense_act_fn", "is_gated_act")]
    [InlineData("t5-a", "feed_forward_proj", "\"half-relu\"", "with or without gated- before it", "dense_act_fn", "is_gated_act")]
    [InlineData("t5-a", "num_decoder_layers", "null", "", "num_decoder_layers")]
    [InlineData("t5-a", "tie_word_embeddings", "false", "lm_head.weight is missing")]
    [InlineData("vit-a", "image_size", "[24, 24]", "image_size is [24,24]; expected a whole number")]
    [InlineData("vit-a", "patch_size", "7", "ImageSize 24 is not divisible by PatchSize 7")]
    [InlineData("vit-a", "qkv_bias", "false", "query.bias is unexpected")]
    public void Unsupported_configuration_fields_are_refused_by_name(string name, string field, string value, string expected,
        params string[] without)
    {
        Place(name, "model.safetensors");
        Edit(config =>
        {
            foreach (var other in without) config.Remove(other);
            config[field] = JsonNode.Parse(value);
        });
        if (expected.Length == 0) PretrainedCases.Load(name, folder.Path).Dispose();
        else Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => PretrainedCases.Load(name, folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rope_scaling", "rope_parameters")]
    [InlineData("rope_parameters", "rope_scaling")]
    public void Unknown_rotary_scaling_is_refused_under_either_field_name(string plain, string unknown)
    {
        Place("llama-a", "model.safetensors");
        Edit(config =>
        {
            config[plain] = JsonNode.Parse("""{ "rope_type": "default" }""");
            config[unknown] = JsonNode.Parse("""{ "rope_type": "yarn" }""");
        });
        Assert.Contains($"{unknown}: rope_type is \"yarn\"",
            Assert.Throws<InvalidDataException>(() => Llama.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rope_scaling", """{ "type": "linear", "factor": 2.0 }""")]
    [InlineData("rope_scaling", """{ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 24 }""")]
    [InlineData("rope_parameters", """{ "rope_theta": 5000.0, "rope_type": "llama3", "factor": 2.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0 }""")]
    public void Rotary_scaling_is_read_and_saved(string field, string value)
    {
        using var golden = new GoldenCase("llama-a");
        Place("llama-a", "model.safetensors");
        using var plain = Llama.FromPretrained(folder.Path);
        Edit(config => config[field] = JsonNode.Parse(value));
        using var model = Llama.FromPretrained(folder.Path);
        var saved = Path.Combine(folder.Path, "again");
        model.SavePretrained(saved);
        using var again = Llama.FromPretrained(saved);
        Assert.NotNull(model.Config.RotaryScaling);
        Assert.Equal(model.Config, again.Config);
        var logits = model.Logits(golden["in.input_ids"]);
        Assert.True(logits.Same(again.Logits(golden["in.input_ids"])));
        Assert.False(logits.allclose(plain.Logits(golden["in.input_ids"]), 1e-3, 1e-3));
    }

    [Theory]
    [InlineData("llama-a", "num_key_value_heads", "pad_token_id", "rope_theta", "rope_scaling", "hidden_act",
        "tie_word_embeddings", "model_type", "id2label")]
    [InlineData("bert-mlm-a", "hidden_act", "layer_norm_eps", "pad_token_id", "type_vocab_size", "tie_word_embeddings",
        "position_embedding_type", "id2label")]
    [InlineData("t5-a", "num_decoder_layers", "feed_forward_proj", "dense_act_fn", "is_gated_act", "decoder_start_token_id",
        "pad_token_id", "tie_word_embeddings")]
    [InlineData("t5-v11-b", "dense_act_fn", "is_gated_act", "layer_norm_epsilon", "relative_attention_num_buckets",
        "relative_attention_max_distance")]
    [InlineData("vit-a", "hidden_act", "layer_norm_eps", "qkv_bias", "num_channels", "hidden_dropout_prob")]
    public void Missing_configuration_fields_have_the_defaults_of_the_reference(string name, params string[] fields)
    {
        using var golden = new GoldenCase(name);
        Place(name, "model.safetensors");
        Edit(config => Assert.All(fields, field => Assert.True(config.Remove(field), field)));
        using var model = PretrainedCases.Load(name, folder.Path);
        PretrainedCases.Check(golden, model);
    }

    [Fact]
    public void The_padding_token_may_be_negative_or_null()
    {
        Place("llama-a", "model.safetensors");
        Edit(config => config["pad_token_id"] = -1);
        using (var llama = Llama.FromPretrained(folder.Path)) Assert.Equal(159, llama.Config.PaddingToken);
        Place("bert-model-a", "model.safetensors");
        Edit(config => config["pad_token_id"] = null);
        using var bert = Bert.FromPretrained(folder.Path);
        Assert.Null(bert.Config.PaddingToken);
        bert.SavePretrained(folder.PathTo("saved"));
        using var again = Bert.FromPretrained(folder.PathTo("saved"));
        Assert.Null(again.Config.PaddingToken);
    }

    [Fact]
    public void Llama_with_tied_or_untied_embeddings_is_saved_and_loaded()
    {
        using var tokens = arange(10).view(2, 5);
        foreach (var tied in new[] { true, false })
        {
            using var model = new Llama(LlamaConfig.Nano with
            {
                TieEmbeddings = tied,
                PaddingToken = 3,
                Activation = Activation.GeluTanh
            });
            model.SavePretrained(folder.Path);
            using var read = Llama.FromPretrained(folder.Path);
            Assert.Equal(model.Config, read.Config);
            Assert.True(model.call(tokens).Same(read.call(tokens)));
        }
    }

    [Theory]
    [InlineData(Activation.Relu, true)]
    [InlineData(Activation.Gelu, false)]
    [InlineData(Activation.Gelu, true)]
    [InlineData(Activation.Silu, true)]
    [InlineData(Activation.GeluTanh, false)]
    public void The_configuration_of_every_T5_feed_forward_layer_is_saved_and_loaded(Activation activation, bool gated)
    {
        using var model = new T5(T5Config.Nano with
        {
            Activation = activation,
            Gated = gated,
            DecoderLayers = 1,
            StartToken = 5,
            PaddingToken = 6
        });
        model.SavePretrained(folder.Path);
        using var read = T5.FromPretrained(folder.Path);
        Assert.Equal(model.Config, read.Config);
    }

    private void Place(string name, string weights)
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        File.Copy(Path.Combine(golden, "config.json"), folder.PathTo("config.json"), overwrite: true);
        if (weights == "sharded")
            foreach (var file in Directory.GetFiles(Path.Combine(golden, weights)))
                File.Copy(file, folder.PathTo(Path.GetFileName(file)));
        else File.Copy(Path.Combine(golden, weights), folder.PathTo(weights.Replace(".legacy", "", StringComparison.Ordinal)),
            overwrite: true);
    }

    private void Edit(Action<JsonObject> edit)
    {
        var config = Json(folder.PathTo("config.json"));
        edit(config);
        folder.File("config.json", config.ToJsonString());
    }

    private static JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    /// <summary>What older files hold and the reference no longer writes.</summary>
    private static bool IsOld(string name) =>
        name.EndsWith("position_ids", StringComparison.Ordinal) || name.EndsWith("inv_freq", StringComparison.Ordinal)
        || name.StartsWith("cls.seq_relationship", StringComparison.Ordinal)
        || name == "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";

    private static string NewName(string name) => name.Replace("LayerNorm.gamma", "LayerNorm.weight", StringComparison.Ordinal)
        .Replace("LayerNorm.beta", "LayerNorm.bias", StringComparison.Ordinal);
}
