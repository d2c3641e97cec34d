using ResearchKit.Models;
using static ResearchKit.Benchmarks.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>A <see cref="ResNet"/> as an ONNX graph, on the same weights.</summary>
internal sealed class OnnxResNet(ResNet model)
{
    private readonly OnnxGraph graph = new();
    private readonly Dictionary<string, Tensor> weights = model.state_dict();

    /// <summary>The bytes of the file, for pictures of this shape.</summary>
    public byte[] Write(Tensor pictures)
    {
        var x = Relu(Normalize(Convolve(graph.Input(pictures), "conv1", stride: 2, padding: 3), "bn1"));
        x = graph.Node("MaxPool", [x], Numbers("kernel_shape", 3, 3), Numbers("strides", 2, 2), Numbers("pads", 1, 1, 1, 1));
        for (var stage = 1; stage <= 4; stage++)
            for (var block = 0; weights.ContainsKey($"layer{stage}.{block}.conv1.weight"); block++)
                x = Block(x, $"layer{stage}.{block}", stage > 1 && block == 0 ? 2 : 1);
        x = graph.Node("Flatten", [graph.Node("GlobalAveragePool", [x])]);
        return graph.Finish(graph.Node("Gemm", [x, Weight("fc.weight"), Weight("fc.bias")], Number("transB", 1L)));
    }

    private string Block(string x, string name, int stride)
    {
        var isBasic = model.Config.Block == ResidualBlock.Basic;
        var branch = Relu(Normalize(isBasic ? Convolve(x, $"{name}.conv1", stride, 1) : Convolve(x, $"{name}.conv1", 1, 0),
            $"{name}.bn1"));
        branch = Normalize(Convolve(branch, $"{name}.conv2", isBasic ? 1 : stride, 1), $"{name}.bn2");
        if (!isBasic) branch = Normalize(Convolve(Relu(branch), $"{name}.conv3", 1, 0), $"{name}.bn3");
        if (weights.ContainsKey($"{name}.downsample.0.weight"))
            x = Normalize(Convolve(x, $"{name}.downsample.0", stride, 0), $"{name}.downsample.1");
        return Relu(graph.Node("Add", [branch, x]));
    }

    private string Convolve(string x, string name, int stride, int padding) =>
        graph.Node("Conv", [x, Weight($"{name}.weight")], Numbers("strides", stride, stride),
            Numbers("pads", padding, padding, padding, padding));

    private string Normalize(string x, string name) =>
        graph.Node("BatchNormalization",
            [x, Weight($"{name}.weight"), Weight($"{name}.bias"), Weight($"{name}.running_mean"), Weight($"{name}.running_var")],
            Number("epsilon", 1e-5));

    private string Relu(string x) => graph.Node("Relu", [x]);

    private string Weight(string name) => graph.Constant(weights[name]);
}
