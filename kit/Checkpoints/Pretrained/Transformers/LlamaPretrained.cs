using System.Text.Json.Nodes;
using ResearchKit.Layers;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>Loads and saves Llama in the folder layout of transformers: <c>LlamaForCausalLM</c>.</summary>
public static class LlamaPretrained
{
    private static readonly PretrainedFormat<Llama, LlamaConfig> Format = new()
    {
        ModelType = "llama",
        Architecture = "LlamaForCausalLM",
        Names = config => new NameRules
        {
            Prefix = "model.",
            Heads = ["lm_head."],
            Ignored = ["*rotary_emb.inv_freq"],   // the rotary frequencies, present in older files
            Tied = config.TieEmbeddings ? [("lm_head.weight", "embed_tokens.weight")] : [],
        },
        Read = Read,
        Write = Write,
        Make = (config, _) => new Llama(config),
        Layers = config => config.Layers,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            TokenRows = ["*embed_tokens.weight", "lm_head.weight"],
            WithVocabularySize = (config, tokens) => config with { VocabularySize = tokens },
        },
    };

    extension(Llama model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        public static Llama FromPretrained(string folder, bool mapped = true, string? key = null, int? vocabularySize = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                VocabularySize = vocabularySize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static LlamaConfig Read(ConfigFile file)
    {
        file.Expect("attention_bias", false);
        file.Expect("mlp_bias", false);
        var config = new LlamaConfig
        {
            VocabularySize = file.Size("vocab_size", 32_000),
            ContextLength = file.Size("max_position_embeddings", 2048),
            ModelWidth = file.Size("hidden_size", 4096),
            FeedForwardWidth = file.Size("intermediate_size", 11_008),
            Layers = file.Size("num_hidden_layers", 32),
            Heads = file.Size("num_attention_heads", 32),
            KeyValueHeads = file.SizeOrNull("num_key_value_heads"),
            RotaryBase = RotaryBase(file),
            RotaryScaling = Scaling(file),
            Activation = file.Activation("hidden_act", "silu"),
            NormEpsilon = file.Number("rms_norm_eps", 1e-6),
            TieEmbeddings = file.Flag("tie_word_embeddings", false),
        };
        if (file.SizeOrNull("head_dim") is { } width && (long)width * config.Heads != config.ModelWidth)
            config = config with { HeadWidth = width };
        var padding = file.Token("pad_token_id", null);
        return config with { PaddingToken = padding < 0 ? config.VocabularySize + padding : padding };
    }

    /// <summary>
    /// Reads the base of the rotary position embedding, in the newer or the older form of the configuration.
    /// </summary>
    private static double RotaryBase(ConfigFile file) =>
        file.Part("rope_parameters")?.Number("rope_theta", 10_000) ?? file.Number("rope_theta", 10_000);

    /// <summary>
    /// Reads the scaling of the rotary frequencies; throws for types that the kit's model does not support.
    /// </summary>
    private static RotaryScaling? Scaling(ConfigFile file)
    {
        var older = Scaling(file, file.Part("rope_scaling"));
        var newer = Scaling(file, file.Part("rope_parameters"));   // both are validated
        return older ?? newer;
    }

    private static RotaryScaling? Scaling(ConfigFile file, ConfigFile? part)
    {
        var name = part is not null && part.Has("rope_type") ? "rope_type" : "type";
        return part?.Text(name, "default") switch
        {
            null or "default" => null,
            "linear" => new RotaryScaling.Linear(Factor(part)),
            "llama3" => new RotaryScaling.Llama3(Factor(part), part.Number("low_freq_factor"), part.Number("high_freq_factor"),
                part.Size("original_max_position_embeddings", file.Size("max_position_embeddings", 2048))),
            _ => throw part.Bad(name, "\"default\", \"linear\" or \"llama3\""),
        };
    }

    private static double Factor(ConfigFile part) => part.Number("factor") is >= 1 and var factor ? factor
        : throw part.Bad("factor", "a number of at least 1");

    private static JsonObject Write(LlamaConfig config)
    {
        OwnWidths.Refuse("Llama", (config.LayerHeads, nameof(config.LayerHeads)),
            (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)));
        var fields = Fields(config);
        if (config.HeadWidth is { } width) fields["head_dim"] = width;
        return fields;
    }

    private static JsonObject Fields(LlamaConfig config) => new()
    {
        ["vocab_size"] = config.VocabularySize,
        ["max_position_embeddings"] = config.ContextLength,
        ["hidden_size"] = config.ModelWidth,
        ["intermediate_size"] = config.FeedForwardWidth,
        ["num_hidden_layers"] = config.Layers,
        ["num_attention_heads"] = config.Heads,
        ["num_key_value_heads"] = config.KeyValueHeads ?? config.Heads,
        ["hidden_act"] = ActivationNames.Of(config.Activation),
        ["rms_norm_eps"] = config.NormEpsilon,
        ["rope_theta"] = config.RotaryBase,
        ["rope_scaling"] = config.RotaryScaling switch
        {
            RotaryScaling.Linear linear =>
                new JsonObject { ["rope_type"] = "linear", ["type"] = "linear", ["factor"] = linear.Factor },
            RotaryScaling.Llama3 llama => new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = llama.Factor,
                ["low_freq_factor"] = llama.LowTurns,
                ["high_freq_factor"] = llama.HighTurns,
                ["original_max_position_embeddings"] = llama.FirstContext,
            },
            _ => null,
        },
        ["pad_token_id"] = config.PaddingToken,
        ["tie_word_embeddings"] = config.TieEmbeddings,
    };
}
