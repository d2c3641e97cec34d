using System.Text.Json.Nodes;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Loads and saves GPT-2 in the folder layout of transformers: <c>GPT2LMHeadModel</c>. Files without the head's
/// prefix, as published, load too.
/// </summary>
public static class GptPretrained
{
    private static readonly PretrainedFormat<Gpt, GptConfig> Format = new()
    {
        ModelType = "gpt2",
        Architecture = "GPT2LMHeadModel",
        Names = config => new NameRules
        {
            Prefix = "transformer.",
            Heads = ["lm_head."],
            Ignored = ["h.*.attn.bias", "h.*.attn.masked_bias"],   // the causal mask, present in older files
            Tied = config.TieEmbeddings ? [("lm_head.weight", "wte.weight")] : [],
        },
        Read = Read,
        Write = Write,
        Make = (config, _) => new Gpt(config),
        Layers = config => config.Layers,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            TokenRows = ["*wte.weight", "lm_head.weight"],
            WithVocabularySize = (config, tokens) => config with { VocabularySize = tokens },
        },
    };

    extension(Gpt model)
    {
        /// <summary>
        /// Loads a model, in evaluation mode, from a folder with <c>config.json</c> and weights in the published layout.
        /// </summary>
        /// <param name="folder">The folder. Nothing is downloaded.</param>
        /// <param name="mapped">
        /// True memory-maps the parameters that are float32 in the file: they are read when they are first used, and
        /// loading makes no second copy. Training writes to memory, never to the file. While the model lives, the file
        /// may be replaced by another (as <c>SavePretrained</c> does), but it must not be truncated or written to.
        /// False reads all parameters into memory at once, as Windows always does.
        /// </param>
        /// <param name="key">
        /// Name of the state dict to read, for a PyTorch file that holds several, such as <c>ema</c>; null for the one that is
        /// plainly the model's.
        /// </param>
        /// <param name="vocabularySize">
        /// Another number of tokens than the configuration's: the rows of the embeddings (and of the head) that both have are
        /// copied, and further rows keep their initial values. Null for the same number.
        /// </param>
        /// <param name="ignoreMismatched">
        /// Whether parameters of another size than in the file keep their initial values instead of being an error. The model's
        /// <c>LoadReport</c> lists them.
        /// </param>
        /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
        /// <exception cref="FileNotFoundException">The folder has no configuration or no weights.</exception>
        /// <exception cref="InvalidDataException">
        /// A file is damaged or describes another architecture, or the files do not match each other; the message says
        /// how.
        /// </exception>
        public static Gpt FromPretrained(string folder, bool mapped = true, string? key = null, int? vocabularySize = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                VocabularySize = vocabularySize,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> in the layout of the reference library.</summary>
        /// <param name="folder">The folder; it is created if it does not exist.</param>
        /// <param name="maximumShardBytes">
        /// The largest size of the tensors in one file; a larger model is written as several files with an index.
        /// </param>
        /// <exception cref="ArgumentException">
        /// The configuration format of the reference library cannot describe this model.
        /// </exception>
        /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static GptConfig Read(ConfigFile file)
    {
        file.Expect("add_cross_attention", false);
        return new GptConfig
        {
            VocabularySize = file.Size("vocab_size", 50_257),
            ContextLength = file.Size("n_positions", file.Size("n_ctx", 1024)),
            ModelWidth = file.Size("n_embd", 768),
            Layers = file.Size("n_layer", 12),
            Heads = file.Size("n_head", 12),
            FeedForwardWidth = file.SizeOrNull("n_inner"),
            Activation = file.Activation("activation_function", "gelu_new"),
            NormEpsilon = file.Number("layer_norm_epsilon", 1e-5),
            ScaleScores = file.Flag("scale_attn_weights", true),
            ScaleScoresByLayer = file.Flag("scale_attn_by_inverse_layer_idx", false),
            Dropout = file.Number("resid_pdrop", 0.1),
            TieEmbeddings = file.Flag("tie_word_embeddings", true),
        };
    }

    private static JsonObject Write(GptConfig config)
    {
        if (config.Positions != Positions.Learned)
            throw new ArgumentException($"Positions are {config.Positions}; "
                + $"GPT-2's configuration supports only {Positions.Learned}.");
        OwnWidths.Refuse("GPT-2", (config.HeadWidth, nameof(config.HeadWidth)), (config.LayerHeads, nameof(config.LayerHeads)),
            (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)),
            (config.AttentionOnly ? true : null, nameof(config.AttentionOnly)),
                (config.Norms ? null : false, nameof(config.Norms)));
        Require.That(config.Variations == new GptVariations(), config.Variations, nameof(config.Variations), "none, as in GPT-2");
        return new()
        {
            ["vocab_size"] = config.VocabularySize,
            ["n_positions"] = config.ContextLength,
            ["n_ctx"] = config.ContextLength,
            ["n_embd"] = config.ModelWidth,
            ["n_layer"] = config.Layers,
            ["n_head"] = config.Heads,
            ["n_inner"] = config.FeedForwardWidth,
            ["activation_function"] = ActivationNames.Of(config.Activation),
            ["layer_norm_epsilon"] = config.NormEpsilon,
            ["resid_pdrop"] = config.Dropout,
            ["embd_pdrop"] = config.Dropout,
            ["attn_pdrop"] = config.Dropout,
            ["tie_word_embeddings"] = config.TieEmbeddings,
            ["scale_attn_weights"] = config.ScaleScores,
            ["scale_attn_by_inverse_layer_idx"] = config.ScaleScoresByLayer,
            ["bos_token_id"] = EndOfText(config),
            ["eos_token_id"] = EndOfText(config),
        };
    }

    /// <summary>
    /// Returns GPT-2's only special token, the last of its vocabulary; null for other vocabularies, whose
    /// end-of-text token is not known.
    /// </summary>
    private static int? EndOfText(GptConfig config) => config.VocabularySize == 50_257 ? 50_256 : null;
}
