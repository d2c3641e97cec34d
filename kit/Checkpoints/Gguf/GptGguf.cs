using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;

namespace ResearchKit.Checkpoints;

/// <summary>Writes GPT-2s for llama.cpp and reads them from its files.</summary>
/// <remarks>
/// Names and layouts are those of llama.cpp's architecture <c>gpt2</c>. Matrices are stored in the type that is asked for;
/// vectors and position embeddings stay float32, as llama.cpp needs them.
/// </remarks>
public static class GptGguf
{
    extension(Gpt model)
    {
        /// <summary>Writes a GGUF file.</summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="type">Type of the matrices; a width must be a multiple of its block.</param>
        /// <param name="tokenizer">Its tokenizer; null for a file that reads token ids alone.</param>
        /// <exception cref="ArgumentException">
        /// llama.cpp's architecture cannot describe the model, a width does not fit the type, or the tokenizer has another number
        /// of tokens.
        /// </exception>
        public void SaveGguf(string path, GgufType type = GgufType.F32, Data.ByteLevelBpeTokenizer? tokenizer = null)
        {
            var config = model.Config;
            OwnWidths.Refuse("llama.cpp's GPT-2", (config.HeadWidth, nameof(config.HeadWidth)),
                (config.LayerHeads, nameof(config.LayerHeads)),
                (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)),
                (config.AttentionOnly ? true : null, nameof(config.AttentionOnly)),
                    (config.Norms ? null : false, nameof(config.Norms)));
            Require.That(config.Positions == Positions.Learned, config.Positions, nameof(config.Positions),
                "Learned, as in GPT-2");
            Require.That(config.Activation == Activation.GeluTanh, config.Activation, nameof(config.Activation),
                "GeluTanh, as in GPT-2");
            Require.That(config is { ScaleScores: true, ScaleScoresByLayer: false }, config.ScaleScoresByLayer,
                nameof(config.ScaleScoresByLayer), "false, with scaled scores");
            Require.That(config.Variations == new GptVariations(), config.Variations, nameof(config.Variations),
                "none, as in GPT-2");
            GgufModel.Save(model, path, type, Entries(config), "gpt2",
                new(config.ContextLength, config.ModelWidth, config.Layers, config.FeedForwardWidth ?? (4 * config.ModelWidth),
                    config.Heads),
                [("attention.layer_norm_epsilon", (float)config.NormEpsilon), ("vocab_size", config.VocabularySize)],
                GgufTokenizer.Values(tokenizer, config.VocabularySize));
        }

        /// <summary>Reads a GPT-2 from a GGUF file, in evaluation mode; quantized weights become float32.</summary>
        /// <exception cref="InvalidDataException">The file is damaged, or describes another architecture.</exception>
        public static Gpt FromGguf(string path)
        {
            var file = new GgufSettings(path, "gpt2");
            var sizes = GgufSizes.Of(file);
            var config = new GptConfig
            {
                VocabularySize = file.Rows("token_embd.weight"),
                ContextLength = sizes.ContextLength,
                ModelWidth = sizes.ModelWidth,
                Layers = sizes.Layers,
                Heads = sizes.Heads,
                FeedForwardWidth = sizes.FeedForwardWidth,
                NormEpsilon = file.Number("attention.layer_norm_epsilon"),
                TieEmbeddings = !file.Has("output.weight"),
                Dropout = 0,
            };
            return GgufModel.Load(() => new Gpt(config), file, Entries(config));
        }
    }

    private static IEnumerable<GgufEntry> Entries(GptConfig config)
    {
        yield return new("token_embd.weight", "wte.weight");
        yield return new("position_embd.weight", "wpe.weight");
        for (var layer = 0; layer < config.Layers; layer++)
            foreach (var (name, own, layout) in new[]
            {
                ("attn_norm", "ln_1", GgufLayout.Same), ("attn_qkv", "attn.c_attn", GgufLayout.Transposed),
                ("attn_output", "attn.c_proj", GgufLayout.Transposed), ("ffn_norm", "ln_2", GgufLayout.Same),
                ("ffn_up", "mlp.c_fc", GgufLayout.Transposed), ("ffn_down", "mlp.c_proj", GgufLayout.Transposed),
            })
            {
                yield return new($"blk.{layer}.{name}.weight", $"h.{layer}.{own}.weight", layout);
                yield return new($"blk.{layer}.{name}.bias", $"h.{layer}.{own}.bias");
            }
        yield return new("output_norm.weight", "ln_f.weight");
        yield return new("output_norm.bias", "ln_f.bias");
        if (!config.TieEmbeddings) yield return new("output.weight", "lm_head.weight");
    }
}
