using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>The <see cref="Bert"/> models as ONNX graphs.</summary>
internal static class OnnxBert
{
    public static void AddFeatures(OnnxBuilder make, BertConfig config)
    {
        var x = Encode(make, config, "");
        make.Graph.Output(x, "last_hidden_state", "batch", "time", config.ModelWidth);
        if (make.Has("pooler.dense.weight"))
            make.Graph.Output(Pool(make, x, "pooler.dense"), "pooler_output", "batch", config.ModelWidth);
    }

    public static void AddMaskedLanguageModel(OnnxBuilder make, BertConfig config)
    {
        const string Head = "cls.predictions";
        var x = make.Linear(Encode(make, config, "bert."), $"{Head}.transform.dense");
        x = make.LayerNorm(make.Apply(config.Activation, x), $"{Head}.transform.LayerNorm", config.NormEpsilon);
        var weight = config.TieEmbeddings ? "bert.embeddings.word_embeddings.weight" : $"{Head}.decoder.weight";
        make.Graph.Output(make.Head(x, weight, $"{Head}.bias"), "logits", "batch", "time", config.VocabularySize);
    }

    public static void AddClassifier(OnnxBuilder make, BertConfig config, bool ofTokens)
    {
        var x = Encode(make, config, "bert.");
        if (!ofTokens) x = Pool(make, x, "bert.pooler.dense");
        object[] axes = ofTokens ? ["batch", "time", config.Labels] : ["batch", config.Labels];
        make.Graph.Output(make.Head(x, "classifier.weight", "classifier.bias"), "logits", axes);
    }

    /// <returns>[batch, time, channels].</returns>
    private static string Encode(OnnxBuilder make, BertConfig config, string prefix)
    {
        var tokens = make.Graph.Input("input_ids", ScalarType.Int64, "batch", "time");
        var mask = make.Options.HasAttentionMask ? make.Graph.Input("attention_mask", ScalarType.Int64, "batch", "time") : null;
        var types = make.Options.HasTokenTypes ? make.Graph.Input("token_type_ids", ScalarType.Int64, "batch", "time") : null;
        var hidden = make.Mask(mask, null);

        var kinds = make.Weight($"{prefix}embeddings.token_type_embeddings.weight");
        var table = make.Weight($"{prefix}embeddings.position_embeddings.weight");
        var places = make.Graph.Node("Slice", [table, make.Graph.Numbers(0), make.Size(tokens, 1), make.Graph.Numbers(0)]);
        var x = make.Rows(make.Weight($"{prefix}embeddings.word_embeddings.weight"), tokens);
        x = make.Add(make.Add(x, make.Rows(kinds, types ?? make.Graph.Numbers(0))), places);
        x = make.LayerNorm(x, $"{prefix}embeddings.LayerNorm", config.NormEpsilon);
        for (var layer = 0; layer < config.Layers; layer++) x = Layer(make, config, layer, x, prefix, hidden);
        return x;
    }

    private static string Layer(OnnxBuilder make, BertConfig config, int layer, string x, string prefix, string? hidden)
    {
        var name = $"{prefix}encoder.layer.{layer}";
        string Heads(string part) => make.SplitHeads(make.Linear(x, $"{name}.attention.self.{part}"), config.HeadsOf(layer));
        var mixed = make.Attend(Heads("query"), Heads("key"), Heads("value"),
            1 / Math.Sqrt((double)config.WidthOfHead), hidden);
        x = Branch(mixed, x, $"{name}.attention.output");
        var inner = make.Apply(config.Activation, make.Linear(x, $"{name}.intermediate.dense"));
        return Branch(inner, x, $"{name}.output");

        string Branch(string inner, string residual, string output) => make.LayerNorm(
            make.Add(make.Linear(inner, $"{output}.dense"), residual), $"{output}.LayerNorm", config.NormEpsilon);
    }

    /// <summary>tanh(W x + b) of the first token, [batch, channels].</summary>
    private static string Pool(OnnxBuilder make, string x, string name)
    {
        var first = make.Graph.Node("Gather", [x, make.Graph.Constant("first", () => tensor(0L))], ("axis", 1));
        return make.Graph.Node("Tanh", [make.Linear(first, name)]);
    }
}
