using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;

namespace ResearchKit.Checkpoints;

/// <summary>Writes Llamas for llama.cpp and reads them from its files.</summary>
/// <remarks>
/// Names and layouts are those of llama.cpp's architecture <c>llama</c>. Matrices are stored in the type that is asked for;
/// vectors and position embeddings stay float32, as llama.cpp needs them.
/// </remarks>
public static class LlamaGguf
{
    extension(Llama model)
    {
        /// <inheritdoc cref="GptGguf.extension(Gpt).SaveGguf(string, GgufType, Data.ByteLevelBpeTokenizer?)"/>
        public void SaveGguf(string path, GgufType type = GgufType.F32, Data.ByteLevelBpeTokenizer? tokenizer = null)
        {
            var config = model.Config;
            OwnWidths.Refuse("the GGUF files of Llama that this kit writes", (config.HeadWidth, nameof(config.HeadWidth)),
                (config.LayerHeads, nameof(config.LayerHeads)),
                (config.LayerFeedForwardWidths, nameof(config.LayerFeedForwardWidths)));
            Require.That(config.Activation == Activation.Silu, config.Activation, nameof(config.Activation), "Silu, as in Llama");
            Require.That(config.RotaryScaling is null, config.RotaryScaling, nameof(config.RotaryScaling), "null");
            GgufModel.Save(model, path, type, Entries(config), "llama",
                new(config.ContextLength, config.ModelWidth, config.Layers, config.FeedForwardWidth, config.Heads),
                [
                    ("attention.head_count_kv", config.KeyValueHeads ?? config.Heads),
                    ("attention.layer_norm_rms_epsilon", (float)config.NormEpsilon),
                    ("rope.dimension_count", config.ModelWidth / config.Heads), ("rope.freq_base", (float)config.RotaryBase),
                    ("vocab_size", config.VocabularySize),
                ],
                GgufTokenizer.Values(tokenizer, config.VocabularySize));
        }

        /// <summary>Reads a Llama from a GGUF file, in evaluation mode; quantized weights become float32.</summary>
        /// <exception cref="InvalidDataException">
        /// The file is damaged, describes another architecture, or scales its rotary positions.
        /// </exception>
        public static Llama FromGguf(string path)
        {
            var file = new GgufSettings(path, "llama");
            if (file.Has("rope_freqs.weight"))
                throw new InvalidDataException($"{path} scales its rotary positions (rope_freqs.weight), which is not read yet.");
            var sizes = GgufSizes.Of(file);
            var config = new LlamaConfig
            {
                VocabularySize = file.Rows("token_embd.weight"),
                ContextLength = sizes.ContextLength,
                ModelWidth = sizes.ModelWidth,
                FeedForwardWidth = sizes.FeedForwardWidth,
                Layers = sizes.Layers,
                Heads = sizes.Heads,
                KeyValueHeads = file.Size("attention.head_count_kv", sizes.Heads),
                RotaryBase = file.Number("rope.freq_base", 10_000),
                NormEpsilon = file.Number("attention.layer_norm_rms_epsilon"),
                TieEmbeddings = !file.Has("output.weight"),
            };
            return GgufModel.Load(() => new Llama(config), file, Entries(config));
        }
    }

    private static IEnumerable<GgufEntry> Entries(LlamaConfig config)
    {
        yield return new("token_embd.weight", "model.embed_tokens.weight");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            string File(string name) => $"blk.{layer}.{name}.weight";
            string Own(string name) => $"model.layers.{layer}.{name}.weight";
            yield return new(File("attn_norm"), Own("input_layernorm"));
            yield return new(File("attn_q"), Own("self_attn.q_proj"), GgufLayout.RotaryPairs, config.Heads);
            yield return new(File("attn_k"), Own("self_attn.k_proj"), GgufLayout.RotaryPairs,
                config.KeyValueHeads ?? config.Heads);
            yield return new(File("attn_v"), Own("self_attn.v_proj"));
            yield return new(File("attn_output"), Own("self_attn.o_proj"));
            yield return new(File("ffn_norm"), Own("post_attention_layernorm"));
            yield return new(File("ffn_gate"), Own("mlp.gate_proj"));
            yield return new(File("ffn_up"), Own("mlp.up_proj"));
            yield return new(File("ffn_down"), Own("mlp.down_proj"));
        }
        yield return new("output_norm.weight", "model.norm.weight");
        if (!config.TieEmbeddings) yield return new("output.weight", "lm_head.weight");
    }
}
