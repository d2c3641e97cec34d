using System.Text.Json.Nodes;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Folder formats of the BERT models: configuration fields and tensor names.</summary>
internal static class BertFormat
{
    // the constant 0, 1, 2, …, present in older files
    private const string PositionNumbers = "*embeddings.position_ids";
    private const string Table = "embeddings.word_embeddings.weight", Decoder = "cls.predictions.decoder.weight";

    /// <summary>
    /// Format of the encoder without a head, with the pooler if the file has one; tensors of heads are ignored.
    /// </summary>
    public static PretrainedFormat<Bert, BertConfig> Bare { get; } = Of("BertModel",
        _ => new NameRules
        {
            Prefix = "bert.",
            Heads = [""],   // the reference writes the bare encoder without the prefix
            Ignored = [PositionNumbers, "cls.*", "classifier.*", "qa_outputs.*"],
        },
        (config, names) => new Bert(config,
            withPooler: names.Any(name => name.EndsWith("pooler.dense.weight", StringComparison.Ordinal))),
        model => model.Config);

    /// <summary>Format of the masked-language model.</summary>
    public static PretrainedFormat<BertForMaskedLanguageModel, BertConfig> MaskedLanguage { get; } = Of("BertForMaskedLM",
        config => new NameRules
        {
            Prefix = "bert.",
            Heads = ["cls."],
            Ignored = [PositionNumbers, "pooler.*", "cls.seq_relationship.*"],
            Tied =
            [
                ("cls.predictions.decoder.bias", "cls.predictions.bias"),
                .. config.TieEmbeddings ? [(Decoder, Table)] : Array.Empty<(string, string)>(),
            ],
        },
        (config, _) => new BertForMaskedLanguageModel(config), model => model.Config);

    /// <summary>Returns the format of a classifier.</summary>
    /// <param name="architecture">Class name in transformers.</param>
    /// <param name="unused">Names to ignore that files of another class may have, without the prefix.</param>
    /// <param name="make">Creates the model of a configuration.</param>
    /// <param name="configOf">Returns the configuration of a model.</param>
    public static PretrainedFormat<T, BertConfig> Classifier<T>(string architecture, string[] unused, Func<BertConfig, T> make,
        Func<T, BertConfig> configOf)
        where T : nn.Module => Of(architecture,
        _ => new NameRules
        {
            Prefix = "bert.",
            Heads = ["classifier."],
            Ignored = [PositionNumbers, "cls.*", "qa_outputs.*", .. unused]
        },
        (config, _) => make(config), configOf, "classifier.*", "bert.pooler.*");

    private static PretrainedFormat<T, BertConfig> Of<T>(string architecture, Func<BertConfig, NameRules> names,
        Func<BertConfig, IEnumerable<string>, T> make, Func<T, BertConfig> configOf, params string[] head) where T
            : nn.Module => new()
            {
                ModelType = "bert",
                Architecture = architecture,
                Names = names,
                Read = Read,
                Write = Write,
                Make = make,
                Layers = config => config.Layers,
                ConfigOf = configOf,
                Changes = new()
                {
                    Head = head,
                    WithLabels = (config, labels) => config with { Labels = labels },
                    TokenRows = ["*word_embeddings.weight", Decoder, "cls.predictions.decoder.bias", "cls.predictions.bias"],
                    WithVocabularySize = (config, tokens) => config with { VocabularySize = tokens },
                },
            };

    private static BertConfig Read(ConfigFile file)
    {
        file.Expect("position_embedding_type", "absolute");
        file.Expect("is_decoder", false);
        file.Expect("add_cross_attention", false);
        var config = new BertConfig
        {
            VocabularySize = file.Size("vocab_size", 30_522),
            ContextLength = file.Size("max_position_embeddings", 512),
            TokenTypes = file.Size("type_vocab_size", 2),
            ModelWidth = file.Size("hidden_size", 768),
            FeedForwardWidth = file.Size("intermediate_size", 3072),
            Layers = file.Size("num_hidden_layers", 12),
            Heads = file.Size("num_attention_heads", 12),
            Activation = file.Activation("hidden_act", "gelu"),
            Dropout = file.Number("hidden_dropout_prob", 0.1),
            NormEpsilon = file.Number("layer_norm_eps", 1e-12),
            TieEmbeddings = file.Flag("tie_word_embeddings", true),
            Labels = file.Labels(),
        };
        var padding = file.Token("pad_token_id", 0);
        return config with { PaddingToken = padding < 0 ? config.VocabularySize + padding : padding };
    }

    private static JsonObject Write(BertConfig config)
    {
        OwnWidths.Refuse("BERT", (config.HeadWidth, nameof(config.HeadWidth)), (config.LayerHeads, nameof(config.LayerHeads)),
            (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)));
        return Fields(config);
    }

    private static JsonObject Fields(BertConfig config) => new JsonObject
    {
        ["vocab_size"] = config.VocabularySize,
        ["max_position_embeddings"] = config.ContextLength,
        ["type_vocab_size"] = config.TokenTypes,
        ["hidden_size"] = config.ModelWidth,
        ["intermediate_size"] = config.FeedForwardWidth,
        ["num_hidden_layers"] = config.Layers,
        ["num_attention_heads"] = config.Heads,
        ["hidden_act"] = ActivationNames.Of(config.Activation),
        ["hidden_dropout_prob"] = config.Dropout,
        ["attention_probs_dropout_prob"] = config.Dropout,
        ["classifier_dropout"] = null,
        ["layer_norm_eps"] = config.NormEpsilon,
        ["position_embedding_type"] = "absolute",
        ["pad_token_id"] = config.PaddingToken,
        ["tie_word_embeddings"] = config.TieEmbeddings,
    }.WithLabels(config.Labels);
}
