using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>The parameters and buffers of a model by name.</summary>
internal static class ModelTensors
{
    public static Dictionary<string, Tensor> Of(nn.Module model) => model.named_parameters()
        .Select(pair => (pair.name, Value: (Tensor)pair.parameter))
        .Concat(model.named_buffers().Select(pair => (pair.name, Value: pair.buffer)))
        .ToDictionary(pair => pair.name, pair => pair.Value);
}
