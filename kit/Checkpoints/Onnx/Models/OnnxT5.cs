using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// A <see cref="T5"/> as an ONNX graph: from source and target tokens to logits; the encoder's output is a result too.
/// </summary>
internal sealed class OnnxT5
{
    private readonly OnnxBuilder make;
    private readonly T5Config config;

    private OnnxT5(OnnxBuilder make, T5Config config)
    {
        this.make = make;
        this.config = config;
    }

    public static void Add(OnnxBuilder make, T5Config config) => new OnnxT5(make, config).Add();

    private void Add()
    {
        var tokens = make.Graph.Input("input_ids", ScalarType.Int64, "batch", "source time");
        var mask = make.Options.HasAttentionMask
            ? make.Graph.Input("attention_mask", ScalarType.Int64, "batch", "source time") : null;
        var written = make.Graph.Input("decoder_input_ids", ScalarType.Int64, "batch", "time");
        var padding = make.Mask(mask, null);
        var memory = Stack("encoder", tokens, config.Layers, null, padding);
        var x = Stack("decoder", written, config.DecoderLayers ?? config.Layers, memory, padding);
        if (config.TieEmbeddings) x = make.Multiply(x, make.Graph.Number(Math.Pow(config.ModelWidth, -0.5)));
        var weight = config.TieEmbeddings ? "shared.weight" : "lm_head.weight";
        make.Graph.Output(make.Head(x, weight, "lm_head.bias"), "logits", "batch", "time", config.VocabularySize);
        make.Graph.Output(memory, "encoder_last_hidden_state", "batch", "source time", config.ModelWidth);
    }

    /// <param name="stack">"encoder" or "decoder".</param>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="memory">Output of the encoder; null in the encoder itself.</param>
    /// <param name="padding">What hides padding of the source.</param>
    /// <returns>[batch, time, channels].</returns>
    private string Stack(string stack, string tokens, int layers, string? memory, string? padding)
    {
        var isDecoder = memory is not null;
        var distances = make.Distances(make.Places(tokens));
        var bias = Bias(distances, $"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", !isDecoder);
        if ((isDecoder ? make.Mask(null, distances) : padding) is { } hidden) bias = make.Add(bias, hidden);
        var x = make.Rows(make.Weight("shared.weight"), tokens);
        for (var layer = 0; layer < layers; layer++)
        {
            var name = $"{stack}.block.{layer}.layer";
            x = Branch(x, $"{name}.0", read =>
                Attend($"{name}.0.SelfAttention", read, read, bias, config.SelfAttentionHeads(isDecoder)));
            if (isDecoder)
                x = Branch(x, $"{name}.1", read => Attend($"{name}.1.EncDecAttention", read, memory!, padding,
                    config.CrossAttentionHeads?[layer] ?? config.Heads));
            var last = isDecoder ? 2 : 1;
            x = Branch(x, $"{name}.{last}", read => Mlp($"{name}.{last}.DenseReluDense", read));
        }
        return make.RmsNorm(x, $"{stack}.final_layer_norm", config.NormEpsilon);
    }

    private string Branch(string x, string name, Func<string, string> branch) =>
        make.Add(x, branch(make.RmsNorm(x, $"{name}.layer_norm", config.NormEpsilon)));

    private string Attend(string name, string x, string memory, string? bias, int heads)
    {
        string Heads(string part, string from) => make.SplitHeads(make.Linear(from, $"{name}.{part}"), heads);
        return make.Linear(make.Attend(Heads("q", x), Heads("k", memory), Heads("v", memory), 1, bias), $"{name}.o");
    }

    private string Mlp(string name, string x)
    {
        if (!config.Gated) return make.Linear(make.Apply(config.Activation, make.Linear(x, $"{name}.wi")), $"{name}.wo");
        var gate = make.Apply(config.Activation, make.Linear(x, $"{name}.wi_0"));
        return make.Linear(make.Multiply(gate, make.Linear(x, $"{name}.wi_1")), $"{name}.wo");
    }

    /// <summary>
    /// The relative position bias, [1, head, query, key]: from a table by distance, as all beyond the largest are alike.
    /// </summary>
    private string Bias(string distances, string name, bool bidirectional)
    {
        var largest = config.RelativeMaximumDistance;
        var table = make.Graph.Constant($"{name} by distance", () =>
        {
            var all = arange(-largest, largest + 1, 1, int64);
            var buckets = RelativePositions.Buckets(all, config.RelativeBuckets, largest, bidirectional);
            return make.Tensor(name).to(ScalarType.Float32).cpu()[buckets];
        });
        string Whole(long value) => make.Graph.Constant($"whole {value}", () => tensor(value));
        var clipped = make.Graph.Node("Clip", [distances, Whole(-largest), Whole(largest)]);
        var found = make.Rows(table, make.Add(clipped, Whole(largest)));   // [query, key, head]
        return make.Graph.Node("Unsqueeze", [make.Transpose(found, 2, 0, 1), make.Graph.Numbers(0)]);
    }
}
