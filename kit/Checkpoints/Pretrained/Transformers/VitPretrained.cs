using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Loads and saves the vision transformer in the folder layout of transformers:
/// <c>ViTForImageClassification</c>.
/// </summary>
public static class VitPretrained
{
    private static readonly PretrainedFormat<Vit, VitConfig> Format = new()
    {
        ModelType = "vit",
        Architecture = "ViTForImageClassification",
        Names = _ => new NameRules { Prefix = "vit.", Heads = ["classifier."], Ignored = ["pooler.*"] },
        Read = Read,
        Write = Write,
        Make = (config, _) => new Vit(config),
        Layers = config => config.Layers,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            Head = ["classifier.*"],
            FewestLabels = 0,
            WithLabels = (config, labels) => config with { Classes = labels },
            Positions = ["vit.embeddings.position_embeddings"],
            WithImageSize = (config, size) => config with { ImageSize = size },
        },
    };

    extension(Vit model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of classes if the file's has another number or the file has
        /// none; 0 leaves the head out, and the model returns the features of the class token. <paramref name="imageSize"/> is
        /// another image size than the configuration's, in pixels: the position embeddings are interpolated bicubically. The
        /// model's <c>LoadReport</c> says what is new.
        /// </remarks>
        public static Vit FromPretrained(string folder, bool mapped = true, string? key = null, int? labels = null,
            int? imageSize = null, bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                ImageSize = imageSize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static VitConfig Read(ConfigFile file) => new()
    {
        ImageSize = file.Size("image_size", 224),
        PatchSize = file.Size("patch_size", 16),
        Channels = file.Size("num_channels", 3),
        ModelWidth = file.Size("hidden_size", 768),
        FeedForwardWidth = file.Size("intermediate_size", 3072),
        Layers = file.Size("num_hidden_layers", 12),
        Heads = file.Size("num_attention_heads", 12),
        Classes = file.Labels(),
        QueryKeyValueBias = file.Flag("qkv_bias", true),
        Activation = file.Activation("hidden_act", "gelu"),
        Dropout = file.Number("hidden_dropout_prob", 0),
        NormEpsilon = file.Number("layer_norm_eps", 1e-12),
    };

    private static JsonObject Write(VitConfig config)
    {
        OwnWidths.Refuse("ViT", (config.HeadWidth, nameof(config.HeadWidth)), (config.LayerHeads, nameof(config.LayerHeads)),
            (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)));
        return Fields(config);
    }

    private static JsonObject Fields(VitConfig config) => new JsonObject
    {
        ["image_size"] = config.ImageSize,
        ["patch_size"] = config.PatchSize,
        ["num_channels"] = config.Channels,
        ["hidden_size"] = config.ModelWidth,
        ["intermediate_size"] = config.FeedForwardWidth,
        ["num_hidden_layers"] = config.Layers,
        ["num_attention_heads"] = config.Heads,
        ["qkv_bias"] = config.QueryKeyValueBias,
        ["hidden_act"] = ActivationNames.Of(config.Activation),
        ["hidden_dropout_prob"] = config.Dropout,
        ["attention_probs_dropout_prob"] = config.Dropout,
        ["layer_norm_eps"] = config.NormEpsilon,
    }.WithLabels(config.Classes);
}
