using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// <see cref="RecurrentClassifier"/> and <see cref="RecurrentLanguageModel"/> as ONNX graphs; all sequences of a batch have the
/// same length.
/// </summary>
internal static class OnnxRecurrent
{
    public static void Add(OnnxBuilder make, RecurrentClassifierConfig config)
    {
        var x = make.Graph.Input("input_values", ScalarType.Float32, "batch", "time", config.InputWidth);
        var (output, last) = Read(make, x, config.Cell, config.Layers, config.HiddenWidth, config.Bidirectional);
        var pooled = config.Pooling == SequencePooling.Last ? make.Reshape(make.Transpose(last, 1, 0, 2), 0, -1)
            : make.Graph.Node("ReduceMean", [output, make.Graph.Numbers(0)], ("keepdims", 0));
        make.Graph.Output(make.Head(pooled, "head.weight", "head.bias"), "logits", "batch", config.Classes);
    }

    public static void Add(OnnxBuilder make, RecurrentLanguageModelConfig config)
    {
        var tokens = make.Graph.Input("input_ids", ScalarType.Int64, "batch", "time");
        var x = make.Rows(make.Weight("embedding.weight"), tokens);
        var (output, _) = Read(make, x, config.Cell, config.Layers, config.HiddenWidth, bidirectional: false);
        var weight = config.TiedEmbedding ? "embedding.weight" : "head.weight";
        make.Graph.Output(make.Head(make.Transpose(output, 1, 0, 2), weight, "head.bias"), "logits", "batch", "time",
            config.VocabularySize);
    }

    /// <param name="make">The graph.</param>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="cell">The cell.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="width">Channels of the hidden state.</param>
    /// <param name="bidirectional">Whether there are two directions.</param>
    /// <returns>[time, batch, directions · hidden], and the last states of the top layer, [direction, batch, hidden].</returns>
    private static (string Output, string Last) Read(
        OnnxBuilder make, string x, RecurrentCell cell, int layers, int width, bool bidirectional)
    {
        var last = "";
        x = make.Transpose(x, 1, 0, 2);
        for (var layer = 0; layer < layers; layer++)
        {
            string[] suffixes = bidirectional ? [$"l{layer}", $"l{layer}_reverse"] : [$"l{layer}"];
            List<string> inputs = [x, Gates("weight_ih"), Gates("weight_hh")];
            if (make.Has($"rnn.bias_ih_l{layer}")) inputs.Add(Biases());
            var results = make.Graph.Node(cell == RecurrentCell.Lstm ? "LSTM" : "GRU", 2, [.. inputs],
                [("hidden_size", width), ("direction", bidirectional ? "bidirectional" : "forward"),
                    .. cell == RecurrentCell.Gru ? [("linear_before_reset", (object)1)] : Array.Empty<(string, object)>()]);
            x = make.Reshape(make.Transpose(results[0], 0, 2, 1, 3), 0, 0, -1);
            last = results[1];

            string Gates(string part) => make.Graph.Constant($"rnn.{part}_l{layer}",
                () => stack([.. suffixes.Select(suffix => Part(part, suffix))]));
            string Biases() => make.Graph.Constant($"rnn.bias_l{layer}", () => stack([.. suffixes.Select(suffix =>
                cat([Part("bias_ih", suffix), Part("bias_hh", suffix)]))]));
            Tensor Part(string part, string suffix) => Ordered(make.Tensor($"rnn.{part}_{suffix}"), cell);
        }
        return (x, last);
    }

    /// <summary>The gates in ONNX's order: input, output, forget, cell; or update, reset, hidden.</summary>
    private static Tensor Ordered(Tensor gates, RecurrentCell cell)
    {
        int[] order = cell == RecurrentCell.Lstm ? [0, 3, 1, 2] : [1, 0, 2];
        var parts = gates.to(ScalarType.Float32).chunk(order.Length, 0);
        return cat([.. order.Select(part => parts[part])]);
    }
}
