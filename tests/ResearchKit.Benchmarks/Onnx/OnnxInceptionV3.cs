using ResearchKit.Models;
using static ResearchKit.Benchmarks.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>An <see cref="InceptionV3"/> without its auxiliary head as an ONNX graph, on the same weights.</summary>
internal sealed class OnnxInceptionV3(InceptionV3 model)
{
    private readonly OnnxGraph graph = new();
    private readonly Dictionary<string, Tensor> weights = model.state_dict();

    /// <summary>The bytes of the file, for images of this shape.</summary>
    public byte[] Write(Tensor images)
    {
        var x = Brick(Brick(Brick(graph.Input(images), "Conv2d_1a_3x3", 2), "Conv2d_2a_3x3"), "Conv2d_2b_3x3", 1, 1);
        x = Largest(Brick(Brick(Largest(x), "Conv2d_3b_1x1"), "Conv2d_4a_3x3"));
        foreach (var name in new[] { "Mixed_5b", "Mixed_5c", "Mixed_5d" })
            x = Concat(Brick(x, $"{name}.branch1x1"), Brick(Brick(x, $"{name}.branch5x5_1"), $"{name}.branch5x5_2", 1, 2),
                Twice3(x, name, 1), Pooled(x, name));
        x = Concat(Brick(x, "Mixed_6a.branch3x3", 2), Twice3(x, "Mixed_6a", 2), Largest(x));
        foreach (var name in new[] { "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e" })
            x = Concat(Brick(x, $"{name}.branch1x1"), Across(x, $"{name}.branch7x7_", 3), Across(x, $"{name}.branch7x7dbl_", 5),
                Pooled(x, name));
        x = Concat(Brick(Brick(x, "Mixed_7a.branch3x3_1"), "Mixed_7a.branch3x3_2", 2),
            Brick(Across(x, "Mixed_7a.branch7x7x3_", 3), "Mixed_7a.branch7x7x3_4", 2), Largest(x));
        foreach (var name in new[] { "Mixed_7b", "Mixed_7c" })
        {
            var once = Brick(x, $"{name}.branch3x3_1");
            var twice = Brick(Brick(x, $"{name}.branch3x3dbl_1"), $"{name}.branch3x3dbl_2", 1, 1);
            x = Concat(Brick(x, $"{name}.branch1x1"), Same(once, $"{name}.branch3x3_2a"), Same(once, $"{name}.branch3x3_2b"),
                Same(twice, $"{name}.branch3x3dbl_3a"), Same(twice, $"{name}.branch3x3dbl_3b"), Pooled(x, name));
        }
        x = graph.Node("Flatten", [graph.Node("GlobalAveragePool", [x])]);
        return graph.Finish(graph.Node("Gemm", [x, Weight("fc.weight"), Weight("fc.bias")], Number("transB", 1L)));
    }

    private string Twice3(string x, string name, int stride) =>
        Brick(Brick(Brick(x, $"{name}.branch3x3dbl_1"), $"{name}.branch3x3dbl_2", 1, 1), $"{name}.branch3x3dbl_3", stride,
            stride == 1 ? 1 : 0);

    /// <summary>A 1 × 1 window and then narrow ones, across and down.</summary>
    private string Across(string x, string name, int count) =>
        Enumerable.Range(1, count).Aggregate(x, (x, number) => Same(x, name + number));

    private string Pooled(string x, string name) =>
        Brick(graph.Node("AveragePool", [x], Numbers("kernel_shape", 3, 3), Numbers("strides", 1, 1),
        Numbers("pads", 1, 1, 1, 1), Number("count_include_pad", 1L)), $"{name}.branch_pool");

    private string Largest(string x) => graph.Node("MaxPool", [x], Numbers("kernel_shape", 3, 3), Numbers("strides", 2, 2));

    private string Concat(params string[] parts) => graph.Node("Concat", parts, Number("axis", 1L));

    /// <summary>A map that stays as large as it was.</summary>
    private string Same(string x, string name)
    {
        var shape = weights[$"{name}.conv.weight"].shape;
        return Brick(x, name, 1, (int)shape[2] / 2, (int)shape[3] / 2);
    }

    private string Brick(string x, string name, int stride = 1, int padding = 0) => Brick(x, name, stride, padding, padding);

    private string Brick(string x, string name, int stride, int down, int across)
    {
        x = graph.Node("Conv", [x, Weight($"{name}.conv.weight")], Numbers("strides", stride, stride),
            Numbers("pads", down, across, down, across));
        x = graph.Node("BatchNormalization",
            [x, Weight($"{name}.bn.weight"), Weight($"{name}.bn.bias"), Weight($"{name}.bn.running_mean"),
            Weight($"{name}.bn.running_var")], Number("epsilon", 1e-3));
        return graph.Node("Relu", [x]);
    }

    private string Weight(string name) => graph.Constant(weights[name]);
}
