using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;

namespace ResearchKit.Checkpoints;

/// <summary>Writes BERTs for llama.cpp, which computes embeddings with them, and reads them from its files.</summary>
/// <remarks>
/// Names and layouts are those of llama.cpp's architecture <c>bert</c>, which computes GELU by its approximation with tanh: its
/// embeddings differ from the model's by some thousandths.
/// </remarks>
public static class BertGguf
{
    extension(Bert model)
    {
        /// <summary>Writes this model as a GGUF file.</summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="type">Type of the matrices; a width must be a multiple of its block.</param>
        /// <param name="tokenizer">Its tokenizer; null for a file that reads token ids alone.</param>
        /// <exception cref="ArgumentException">
        /// llama.cpp's architecture cannot describe the model, a width does not fit the type, or the tokenizer has another number
        /// of tokens.
        /// </exception>
        public void SaveGguf(string path, GgufType type = GgufType.F32, Data.WordPieceTokenizer? tokenizer = null)
        {
            var config = model.Config;
            Require.That(config.Activation == Activation.Gelu, config.Activation, nameof(config.Activation), "Gelu, as in BERT");
            GgufModel.Save(model, path, type, Entries(config, model.HasPooler), "bert",
                new(config.ContextLength, config.ModelWidth, config.Layers, config.FeedForwardWidth, config.Heads),
                [
                    ("attention.layer_norm_epsilon", (float)config.NormEpsilon), ("attention.causal", false), ("pooling_type", 0),
                    ("vocab_size", config.VocabularySize),
                ],
                [
                    .. GgufTokenizer.Values(tokenizer, config.VocabularySize),
                    new("tokenizer.ggml.token_type_count", config.TokenTypes),
                ]);
        }

        /// <summary>Reads a BERT from a GGUF file, in evaluation mode; quantized weights become float32.</summary>
        /// <exception cref="InvalidDataException">The file is damaged, or describes another architecture.</exception>
        public static Bert FromGguf(string path)
        {
            var file = new GgufSettings(path, "bert");
            var sizes = GgufSizes.Of(file);
            var config = new BertConfig
            {
                VocabularySize = file.Rows("token_embd.weight"),
                TokenTypes = file.Rows("token_types.weight"),
                ContextLength = sizes.ContextLength,
                ModelWidth = sizes.ModelWidth,
                Layers = sizes.Layers,
                FeedForwardWidth = sizes.FeedForwardWidth,
                Heads = sizes.Heads,
                NormEpsilon = file.Number("attention.layer_norm_epsilon"),
                Dropout = 0,
            };
            var withPooler = file.Has("cls.weight");
            return GgufModel.Load(() => new Bert(config, withPooler), file, Entries(config, withPooler));
        }
    }

    private static IEnumerable<GgufEntry> Entries(BertConfig config, bool withPooler)
    {
        foreach (var (name, own) in new[]
        {
            ("token_embd", "word_embeddings"), ("token_types", "token_type_embeddings"), ("position_embd", "position_embeddings"),
        })
            yield return new($"{name}.weight", $"embeddings.{own}.weight");
        List<(string Name, string Own)> layers = [("token_embd_norm", "embeddings.LayerNorm")];
        for (var layer = 0; layer < config.Layers; layer++)
            foreach (var (name, own) in new[]
            {
                ("attn_q", "attention.self.query"), ("attn_k", "attention.self.key"), ("attn_v", "attention.self.value"),
                ("attn_output", "attention.output.dense"), ("attn_output_norm", "attention.output.LayerNorm"),
                ("ffn_up", "intermediate.dense"), ("ffn_down", "output.dense"), ("layer_output_norm", "output.LayerNorm"),
            })
                layers.Add(($"blk.{layer}.{name}", $"encoder.layer.{layer}.{own}"));
        if (withPooler) layers.Add(("cls", "pooler.dense"));
        foreach (var (name, own) in layers)
            foreach (var part in new[] { "weight", "bias" }) yield return new($"{name}.{part}", $"{own}.{part}");
    }
}
