using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;

namespace ResearchKit.Checkpoints;

/// <summary>Writes T5s for llama.cpp and reads them from its files.</summary>
/// <remarks>
/// Names and layouts are those of llama.cpp's architecture <c>t5</c>.
/// </remarks>
public static class T5Gguf
{
    private const int MaximumDistance = 128;   // fixed in llama.cpp
    private const string Tied = "tie_word_embeddings", Output = "output.weight", Table = "token_embd.weight";

    extension(T5 model)
    {
        /// <summary>Writes this model as a GGUF file.</summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="type">Type of the matrices; a width must be a multiple of its block.</param>
        /// <param name="tokenizer">The model's tokenizer; null for a file that reads token ids alone.</param>
        /// <exception cref="ArgumentException">
        /// llama.cpp's architecture cannot describe the model, a width does not fit the type, or the tokenizer has more tokens
        /// than the model, or is no unigram model.
        /// </exception>
        public void SaveGguf(string path, GgufType type = GgufType.F32, SentencePieceTokenizer? tokenizer = null)
        {
            var config = model.Config;
            var activation = config.Gated ? Activation.GeluTanh : Activation.Relu;
            Require.That(config.Activation == activation, config.Activation, nameof(config.Activation),
                $"{activation}, as in T5");
            Require.That(config.RelativeMaximumDistance == MaximumDistance, config.RelativeMaximumDistance,
                nameof(config.RelativeMaximumDistance), $"{MaximumDistance}, as in T5");
            var entries = Entries(config);
            if (config.TieEmbeddings) entries = entries.Append(new(Output, "shared.weight", GgufLayout.ScaledCopy));
            GgufModel.Save(model, path, type, entries, "t5",
                new(512, config.ModelWidth, config.Layers, config.FeedForwardWidth, config.Heads),
                [
                    ("decoder_block_count", config.DecoderLayers ?? config.Layers),
                    ("attention.key_length", config.HeadWidth), ("attention.value_length", config.HeadWidth),
                    ("attention.layer_norm_epsilon", (float)config.NormEpsilon),
                    ("attention.layer_norm_rms_epsilon", (float)config.NormEpsilon),
                    ("attention.relative_buckets_count", config.RelativeBuckets),
                    ("decoder_start_token_id", config.StartToken), (Tied, config.TieEmbeddings),
                    ("vocab_size", config.VocabularySize),
                ],
                GgufTokenizer.Values(tokenizer, config.VocabularySize));
        }

        /// <summary>Reads a T5 from a GGUF file, in evaluation mode; quantized weights become float32.</summary>
        /// <remarks>
        /// A file of another program with one weight for embeddings and output gives a model with two: llama.cpp does not divide
        /// the output as T5 does.
        /// </remarks>
        /// <exception cref="InvalidDataException">The file is damaged, or describes another architecture.</exception>
        public static T5 FromGguf(string path)
        {
            var file = new GgufSettings(path, "t5");
            var sizes = GgufSizes.Of(file);
            var isGated = file.Has("enc.blk.0.ffn_gate.weight");
            var config = new T5Config
            {
                VocabularySize = file.Rows(Table),
                ModelWidth = sizes.ModelWidth,
                Layers = sizes.Layers,
                DecoderLayers = file.Size("decoder_block_count", sizes.Layers),
                FeedForwardWidth = sizes.FeedForwardWidth,
                Heads = sizes.Heads,
                HeadWidth = file.Size("attention.key_length", sizes.ModelWidth / sizes.Heads),
                RelativeBuckets = file.Size("attention.relative_buckets_count"),
                RelativeMaximumDistance = MaximumDistance,
                NormEpsilon = file.Number("attention.layer_norm_rms_epsilon", file.Number("attention.layer_norm_epsilon", 1e-6)),
                Gated = isGated,
                Activation = isGated ? Activation.GeluTanh : Activation.Relu,
                TieEmbeddings = file.Flag(Tied),
                Dropout = 0,
            };
            var entries = Entries(config);
            if (!file.Has(Output)) entries = entries.Select(entry => entry.Name == Output ? entry with { Name = Table } : entry);
            return GgufModel.Load(() => new T5(config), file, entries);
        }
    }

    private static IEnumerable<GgufEntry> Entries(T5Config config)
    {
        yield return new(Table, "shared.weight");
        foreach (var (stack, own, layers) in new[]
        {
            ("enc", "encoder", config.Layers), ("dec", "decoder", config.DecoderLayers ?? config.Layers),
        })
        {
            for (var layer = 0; layer < layers; layer++)
                foreach (var (name, parameter) in Layer(config, stack == "dec", layer))
                    yield return new($"{stack}.blk.{layer}.{name}.weight", $"{own}.block.{layer}.layer.{parameter}.weight");
            yield return new($"{stack}.output_norm.weight", $"{own}.final_layer_norm.weight");
        }
        if (!config.TieEmbeddings) yield return new(Output, "lm_head.weight");
    }

    private static IEnumerable<(string Name, string Own)> Layer(T5Config config, bool isDecoder, int layer)
    {
        yield return ("attn_norm", "0.layer_norm");
        foreach (var part in "qkvo") yield return ($"attn_{part}", $"0.SelfAttention.{part}");
        if (layer == 0) yield return ("attn_rel_b", "0.SelfAttention.relative_attention_bias");
        if (isDecoder)
        {
            yield return ("cross_attn_norm", "1.layer_norm");
            foreach (var part in "qkvo") yield return ($"cross_attn_{part}", $"1.EncDecAttention.{part}");
        }
        var last = isDecoder ? 2 : 1;
        yield return ("ffn_norm", $"{last}.layer_norm");
        if (config.Gated) yield return ("ffn_gate", $"{last}.DenseReluDense.wi_0");
        yield return ("ffn_up", $"{last}.DenseReluDense.{(config.Gated ? "wi_1" : "wi")}");
        yield return ("ffn_down", $"{last}.DenseReluDense.wo");
    }
}
