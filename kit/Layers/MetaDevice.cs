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

    /// <summary>Rows of a table [rows, channels] by their numbers, int64 [count]: [count, channels].</summary>
    public static Tensor Rows(this Tensor table, Tensor numbers) =>
        numbers.IsMeta() ? table.index(numbers) : table.index_select(0, numbers);

    /// <summary>max(0, x).</summary>
    public static Tensor Relu(Tensor x) => x.IsMeta() ? x.clamp_min(0) : nn.functional.relu(x);

    /// <summary>Layer norm of the last axis: <c>norm.call(x)</c>, on the meta device too.</summary>
    public static Tensor Normalize(this LayerNorm norm, Tensor x) => x.Through(norm);

    /// <summary><c>layer.call(x)</c>, in the order of reading, on the meta device too.</summary>
    /// <remarks>
    /// The one place that knows TorchSharp's layers without a kernel for the meta device. They run no hooks there.
    /// </remarks>
    public static Tensor Through(this Tensor x, nn.Module<Tensor, Tensor> layer) => !x.IsMeta() ? layer.call(x) : layer switch
    {
        LayerNorm norm => (x * norm.weight!) + norm.bias!,
        BatchNorm2d norm => (x - Channels(norm.running_mean!)) * Channels(norm.weight!)
            / Channels(norm.running_var!) + Channels(norm.bias!),
        AdaptiveAvgPool2d pool => Spread(x.mean([2, 3], keepdim: true), pool.output_size[0], pool.output_size[^1]),
        _ => layer.call(x),
    };

    /// <summary>One value a channel, [batch, channels, 1, 1], at every place of a map.</summary>
    public static Tensor Spread(Tensor x, long height, long width) =>
        x.expand(x.shape[0], x.shape[1], height, width).contiguous();

    private static Tensor Channels(Tensor perChannel) => perChannel.view(1, -1, 1, 1);
}
