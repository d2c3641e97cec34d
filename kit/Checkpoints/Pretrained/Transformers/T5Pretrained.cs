using System.Text.Json.Nodes;
using ResearchKit.Layers;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Loads and saves T5 in the folder layout of transformers: <c>T5ForConditionalGeneration</c>.
/// </summary>
public static class T5Pretrained
{
    private const string Gate = "gated-";

    private static readonly PretrainedFormat<T5, T5Config> Format = new()
    {
        ModelType = "t5",
        Architecture = "T5ForConditionalGeneration",
        Names = config => new NameRules
        {
            // present in older files, but never used
            Ignored = ["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"],
            Tied =
            [
                ("encoder.embed_tokens.weight", "shared.weight"), ("decoder.embed_tokens.weight", "shared.weight"),
                .. config.TieEmbeddings ? [("lm_head.weight", "shared.weight")] : Array.Empty<(string, string)>(),
            ],
        },
        Read = Read,
        Write = Write,
        Make = (config, _) => new T5(config),
        Layers = config => Math.Max(config.Layers, config.DecoderLayers ?? 0),
        ConfigOf = model => model.Config,
        Changes = new()
        {
            TokenRows = ["shared.weight", "*embed_tokens.weight", "lm_head.weight"],
            WithVocabularySize = (config, tokens) => config with { VocabularySize = tokens },
        },
    };

    extension(T5 model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        public static T5 FromPretrained(string folder, bool mapped = true, string? key = null, int? vocabularySize = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                VocabularySize = vocabularySize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static T5Config Read(ConfigFile file)
    {
        var (activation, gated) = FeedForward(file);
        var padding = file.Token("pad_token_id", 0) ?? throw file.Bad("pad_token_id", "a token's number");
        return new T5Config
        {
            VocabularySize = file.Size("vocab_size", 32_128),
            ModelWidth = file.Size("d_model", 512),
            HeadWidth = file.Size("d_kv", 64),
            FeedForwardWidth = file.Size("d_ff", 2048),
            Layers = file.Size("num_layers", 6),
            DecoderLayers = file.SizeOrNull("num_decoder_layers"),
            Heads = file.Size("num_heads", 8),
            RelativeBuckets = file.Size("relative_attention_num_buckets", 32),
            RelativeMaximumDistance = file.Size("relative_attention_max_distance", 128),
            Activation = activation,
            Gated = gated,
            Dropout = file.Number("dropout_rate", 0.1),
            NormEpsilon = file.Number("layer_norm_epsilon", 1e-6),
            TieEmbeddings = file.Flag("tie_word_embeddings", true),
            StartToken = file.Token("decoder_start_token_id", padding) ?? padding,
            PaddingToken = padding,
        };
    }

    /// <summary>
    /// Reads the activation of the MLP and whether it is gated. <c>feed_forward_proj</c> names an activation, with
    /// the prefix <c>gated-</c> for a gated MLP; <c>gated-gelu</c> always means the tanh approximation. The fields
    /// <c>dense_act_fn</c> and <c>is_gated_act</c> take precedence if they are present.
    /// </summary>
    private static (Activation Activation, bool Gated) FeedForward(ConfigFile file)
    {
        var name = file.Text("feed_forward_proj", "relu");
        var gated = name.StartsWith(Gate, StringComparison.Ordinal);
        var said = name == "gated-gelu" ? Activation.GeluTanh : ActivationNames.Parse(gated ? name[Gate.Length..] : name);
        if (said is null && !file.Has("dense_act_fn"))
            throw file.Bad("feed_forward_proj", $"one of {ActivationNames.Known}, with or without {Gate} before it");
        return (file.Activation("dense_act_fn", ActivationNames.Of(said ?? Activation.Relu)), file.Flag("is_gated_act", gated));
    }

    private static JsonObject Write(T5Config config)
    {
        OwnWidths.Refuse("T5", (config.DecoderHeads, nameof(config.DecoderHeads)),
            (config.CrossAttentionHeads, nameof(config.CrossAttentionHeads)),
            (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)),
            (config.DecoderLayerFeedForwardWidths, nameof(config.DecoderLayerFeedForwardWidths)));
        return Fields(config);
    }

    private static JsonObject Fields(T5Config config) => new()
    {
        ["vocab_size"] = config.VocabularySize,
        ["d_model"] = config.ModelWidth,
        ["d_kv"] = config.HeadWidth,
        ["d_ff"] = config.FeedForwardWidth,
        ["num_layers"] = config.Layers,
        ["num_decoder_layers"] = config.DecoderLayers ?? config.Layers,
        ["num_heads"] = config.Heads,
        ["relative_attention_num_buckets"] = config.RelativeBuckets,
        ["relative_attention_max_distance"] = config.RelativeMaximumDistance,
        ["feed_forward_proj"] = (config.Gated, config.Activation) switch
        {
            (true, Activation.GeluTanh) => "gated-gelu",
            (true, _) => Gate + ActivationNames.Of(config.Activation),
            _ => ActivationNames.Of(config.Activation),
        },
        ["dense_act_fn"] = ActivationNames.Of(config.Activation),
        ["is_gated_act"] = config.Gated,
        ["dropout_rate"] = config.Dropout,
        ["layer_norm_epsilon"] = config.NormEpsilon,
        ["decoder_start_token_id"] = config.StartToken,
        ["pad_token_id"] = config.PaddingToken,
        ["is_encoder_decoder"] = true,
        ["tie_word_embeddings"] = config.TieEmbeddings,
    };
}
