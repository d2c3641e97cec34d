using ResearchKit.Models;
using static ResearchKit.Benchmarks.Onnx.OnnxGraph;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>A <see cref="Vgg"/> without batch norm as an ONNX graph, on the same weights.</summary>
internal sealed class OnnxVgg(Vgg model)
{
    private readonly OnnxGraph graph = new();
    private readonly Dictionary<string, Tensor> weights = model.state_dict();

    /// <summary>The bytes of the file, for images of this shape: 224 × 224, whose last map is 7 × 7.</summary>
    public byte[] Write(Tensor images)
    {
        var (x, number) = (graph.Input(images), 0);
        foreach (var stage in model.Config.Stages)
        {
            foreach (var _ in stage)
            {
                x = graph.Node("Relu",
                    [graph.Node("Conv", [x, Weight($"features.{number}.weight"), Weight($"features.{number}.bias")],
                    Numbers("pads", 1, 1, 1, 1))]);
                number += 2;
            }
            x = graph.Node("MaxPool", [x], Numbers("kernel_shape", 2, 2), Numbers("strides", 2, 2));
            number++;
        }
        x = graph.Node("Relu", [Dense(graph.Node("Flatten", [x]), 0)]);
        x = graph.Node("Relu", [Dense(x, 3)]);
        return graph.Finish(Dense(x, 6));
    }

    private string Dense(string x, int layer) =>
        graph.Node("Gemm", [x, Weight($"classifier.{layer}.weight"), Weight($"classifier.{layer}.bias")], Number("transB", 1L));

    private string Weight(string name) => graph.Constant(weights[name]);
}
