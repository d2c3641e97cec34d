using ResearchKit.Models;
using static ResearchKit.Benchmarks.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>A <see cref="Bert"/>, up to its last residual stream, as an ONNX graph, on the same weights.</summary>
/// <param name="model">The model.</param>
/// <param name="isInt8">Whether its layers have int8 weights and inputs rounded to uint8 as they come.</param>
internal sealed class OnnxBert(Bert model, bool isInt8 = false)
{
    private readonly OnnxGraph graph = new();
    private readonly Dictionary<string, Tensor> weights = model.state_dict();
    private readonly long heads = model.Config.Heads, channels = model.Config.ModelWidth / model.Config.Heads;

    /// <summary>The bytes of the file, for tokens of this shape.</summary>
    public byte[] Write(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (batch, time) = (tokens.shape[0], tokens.shape[1]);
        var x = graph.Node("Gather", [graph.Constant(weights["embeddings.word_embeddings.weight"]), graph.Input(tokens)]);
        x = Add(x, graph.Constant(weights["embeddings.token_type_embeddings.weight"][0]));
        x = Add(x, graph.Constant(weights["embeddings.position_embeddings.weight"].narrow(0, 0, time)));
        x = Normalize(x, "embeddings");
        for (var layer = 0; layer < model.Config.Layers; layer++) x = Layer(x, $"encoder.layer.{layer}", batch, time);
        return graph.Finish(x);
    }

    private string Layer(string x, string name, long batch, long time)
    {
        string Heads(string part, params long[] order) =>
            graph.Node("Transpose",
                [graph.Node("Reshape", [Dense(x, $"{name}.attention.self.{part}"), graph.Shape(batch, time, heads, channels)])],
                Numbers("perm", order));
        var scores = graph.Node("MatMul", [Heads("query", 0, 2, 1, 3), Heads("key", 0, 2, 3, 1)]);   // [batch, head, query, key]
        using var root = tensor((float)Math.Sqrt(channels));
        var pattern = graph.Node("Softmax", [graph.Node("Div", [scores, graph.Constant(root)])], Number("axis", -1L));
        var mixed = graph.Node("Transpose", [graph.Node("MatMul", [pattern, Heads("value", 0, 2, 1, 3)])],
            Numbers("perm", 0, 2, 1, 3));
        mixed = graph.Node("Reshape", [mixed, graph.Shape(batch, time, heads * channels)]);

        x = Normalize(Add(Dense(mixed, $"{name}.attention.output.dense"), x), $"{name}.attention.output");
        var inner = graph.Node("Gelu", [Dense(x, $"{name}.intermediate.dense")]);
        return Normalize(Add(Dense(inner, $"{name}.output.dense"), x), $"{name}.output");
    }

    private string Dense(string x, string name)
    {
        using var transposed = weights[$"{name}.weight"].t();   // [channels in, channels out]
        if (isInt8) return Add(Integer(x, transposed), graph.Constant(weights[$"{name}.bias"]));
        return Add(graph.Node("MatMul", [x, graph.Constant(transposed)]), graph.Constant(weights[$"{name}.bias"]));
    }

    private string Integer(string x, Tensor matrix)
    {
        using var scope = NewDisposeScope();
        var scales = matrix.abs().amax([0]) / sbyte.MaxValue;
        var rounded = graph.Node("DynamicQuantizeLinear", [x], 3);   // codes, scale, zero point
        var product = graph.Node("MatMulInteger", [rounded[0], graph.Constant((matrix / scales).round().to(int8)), rounded[2]]);
        return graph.Node("Mul", [graph.Node("Cast", [product], Number("to", (long)TensorProto.Types.DataType.Float)),
            graph.Node("Mul", [graph.Constant(scales), rounded[1]])]);
    }

    private string Normalize(string x, string name) =>
        graph.Node("LayerNormalization",
            [x, graph.Constant(weights[$"{name}.LayerNorm.weight"]), graph.Constant(weights[$"{name}.LayerNorm.bias"])],
            Number("axis", -1L), Number("epsilon", model.Config.NormEpsilon));

    private string Add(string x, string y) => graph.Node("Add", [x, y]);
}
