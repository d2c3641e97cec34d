using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Operations that libtorch lacks on the meta device, where tensors have shapes but no numbers.</summary>
/// <remarks>
/// PyTorch adds these kernels in Python. Here the meta device gets an operation of the same shape on the same tensors instead, so
/// that a model of any size can be made and run through without memory, and a tensor on a fixed device still shows itself.
/// </remarks>
internal static class MetaDevice
{
    /// <summary>True for a tensor without numbers.</summary>
    public static bool IsMeta(this Tensor tensor) => tensor.device_type == DeviceType.META;

    /// <summary>Vectors of tokens: int64 [batch, time] to [batch, time, channels].</summary>
    public static Tensor Lookup(this Embedding embedding, Tensor tokens) =>
        tokens.IsMeta() ? embedding.weight!.index(tokens) : embedding.call(tokens);

    /// <summary>Layer norm of the last axis.</summary>
    public static Tensor Normalize(this LayerNorm norm, Tensor x) =>
        x.IsMeta() ? (x * norm.weight!) + norm.bias! : norm.call(x);
}
