using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Decoder-only transformers as ONNX graphs: <see cref="Gpt"/> and <see cref="Llama"/>.</summary>
internal static class OnnxDecoders
{
    public static void Add(OnnxBuilder make, GptConfig config)
    {
        Require.That(config is { AttentionOnly: false, Norms: true }, config.AttentionOnly, nameof(config.AttentionOnly),
            "false, with norms, to be written as ONNX");
        Require.That(config.Variations == new GptVariations(), config.Variations, nameof(config.Variations),
            "none, to be written as ONNX");
        var (tokens, mask) = Inputs(make);
        var places = make.Places(tokens);
        var distances = make.Distances(places);
        var hidden = make.Mask(mask, distances);
        if (config.Positions == Positions.Alibi) hidden = make.Add(hidden!, Alibi(make, distances, config.Heads));
        (string, string)? rotation = config.Positions == Positions.Rotary
            ? Rotation(make, places, config.WidthOfHead, 10_000, null) : null;

        var x = make.Rows(make.Weight("wte.weight"), tokens);   // [batch, time, channels]
        foreach (var table in new[] { "wpe.weight", "wpe.table" })
            if (make.Has(table)) x = make.Add(x, make.Rows(make.Weight(table), places));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var name = $"h.{layer}";
            var scale = config.ScoreScale(layer) ?? 1 / Math.Sqrt((double)config.WidthOfHead);
            var joined = make.Linear(make.LayerNorm(x, $"{name}.ln_1", config.NormEpsilon), $"{name}.attn.c_attn", true);
            var qkv = make.Graph.Node("Split", 3, [joined], ("axis", -1), ("num_outputs", 3));
            string Heads(int part) => make.SplitHeads(qkv[part], config.HeadsOf(layer));
            string Turned(int part) => rotation is { } turn ? make.Turn(Heads(part), turn) : Heads(part);
            var mixed = make.Attend(Turned(0), Turned(1), Heads(2), scale, hidden);
            x = make.Add(x, make.Linear(mixed, $"{name}.attn.c_proj", true));

            var inner = make.Linear(make.LayerNorm(x, $"{name}.ln_2", config.NormEpsilon), $"{name}.mlp.c_fc", true);
            x = make.Add(x, make.Linear(make.Apply(config.Activation, inner), $"{name}.mlp.c_proj", true));
        }
        x = make.LayerNorm(x, "ln_f", config.NormEpsilon);
        Logits(make, x, config.TieEmbeddings ? "wte.weight" : "lm_head.weight", config.VocabularySize);
    }

    public static void Add(OnnxBuilder make, LlamaConfig config)
    {
        var (tokens, mask) = Inputs(make);
        var places = make.Places(tokens);
        var hidden = make.Mask(mask, make.Distances(places));
        var rotation = Rotation(make, places, config.WidthOfHead, config.RotaryBase, config.RotaryScaling);

        var x = make.Rows(make.Weight("model.embed_tokens.weight"), tokens);   // [batch, time, channels]
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var name = $"model.layers.{layer}";
            var (heads, keyHeads) = (config.HeadsOf(layer), config.KeyValueHeadsOf(layer));
            var read = make.RmsNorm(x, $"{name}.input_layernorm", config.NormEpsilon);
            string Heads(string part, int count) => make.SplitHeads(make.Linear(read, $"{name}.self_attn.{part}_proj"), count);
            string Shared(string keys) => make.RepeatHeads(keys, heads, keyHeads, config.WidthOfHead);
            var mixed = make.Attend(make.Turn(Heads("q", heads), rotation), Shared(make.Turn(Heads("k", keyHeads), rotation)),
                Shared(Heads("v", keyHeads)), 1 / Math.Sqrt((double)config.WidthOfHead), hidden);
            x = make.Add(x, make.Linear(mixed, $"{name}.self_attn.o_proj"));

            read = make.RmsNorm(x, $"{name}.post_attention_layernorm", config.NormEpsilon);
            var gate = make.Apply(config.Activation, make.Linear(read, $"{name}.mlp.gate_proj"));
            var inner = make.Multiply(gate, make.Linear(read, $"{name}.mlp.up_proj"));
            x = make.Add(x, make.Linear(inner, $"{name}.mlp.down_proj"));
        }
        x = make.RmsNorm(x, "model.norm", config.NormEpsilon);
        Logits(make, x, config.TieEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight", config.VocabularySize);
    }

    private static (string Tokens, string? Mask) Inputs(OnnxBuilder make) => (
        make.Graph.Input("input_ids", ScalarType.Int64, "batch", "time"),
        make.Options.HasAttentionMask ? make.Graph.Input("attention_mask", ScalarType.Int64, "batch", "time") : null);

    private static void Logits(OnnxBuilder make, string x, string weight, int vocabulary) =>
        make.Graph.Output(make.Head(x, weight, "lm_head.bias"), "logits", "batch", "time", vocabulary);

    private static (string, string) Rotation(OnnxBuilder make, string places, int width, double rotaryBase,
        RotaryScaling? scaling)
    {
        using var rotary = new RotaryPositions(width, rotaryBase, scaling);
        return make.Rotation(places, rotary);
    }

    /// <summary>Each head's slope times minus the distance of query and key, [head, query, key].</summary>
    private static string Alibi(OnnxBuilder make, string distances, int heads)
    {
        var slopes = make.Graph.Constant("slopes", () =>
            tensor([.. AlibiPositions.Slopes(heads).Select(slope => -(float)slope)]).view(heads, 1, 1));
        return make.Multiply(slopes, make.Graph.Node("Cast", [make.Graph.Node("Abs", [distances])], ("to", 1)));
    }
}
