using System.Text.Json.Nodes;
using ResearchKit.Layers;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>GPT-2 in the folders of transformers: <c>GPT2LMHeadModel</c>, and the published files without the head's prefix.</summary>
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
            Ignored = ["h.*.attn.bias", "h.*.attn.masked_bias"],   // the causal mask, which older files hold
            Tied = config.TieEmbeddings ? [("lm_head.weight", "wte.weight")] : [],
        },
        Read = Read,
        Write = Write,
        Make = (config, _) => new Gpt(config),
        Layers = config => config.Layers,
        ConfigOf = model => model.Config,
    };

    extension(Gpt model)
    {
        /// <summary>A GPT-2 in evaluation mode, from a folder with <c>config.json</c> and weights as published ones are.</summary>
        /// <param name="folder">Where they are.</param>
        /// <param name="mapped">
        /// True puts parameters that are float32 in the file on its pages, which are read when they are first used: loading takes no
        /// second copy. What training writes goes to memory, never to the file. While the model lives another file may take its
        /// place, as <c>SavePretrained</c> does, but nobody may write into it or shorten it. False reads all into memory at once.
        /// </param>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="FileNotFoundException">It has no configuration or no weights.</exception>
        /// <exception cref="InvalidDataException">Its files are damaged, describe another architecture, or do not fit each other; says how.</exception>
        public static Gpt FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> as transformers does.</summary>
        /// <param name="folder">Where to; is made if it is not there.</param>
        /// <param name="maximumShardBytes">Most bytes of tensors in one file; more make several, with an index.</param>
        /// <exception cref="ArgumentException">Positions that GPT-2 does not have.</exception>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
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

    private static JsonObject Write(GptConfig config) => config.Positions != Positions.Learned
        ? throw new ArgumentException($"Positions are {config.Positions}; GPT-2's configuration knows {Positions.Learned} alone.")
        : new()
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

    /// <summary>GPT-2's only special token is the last of its vocabulary; another vocabulary has none that is known.</summary>
    private static int? EndOfText(GptConfig config) => config.VocabularySize == 50_257 ? 50_256 : null;
}
