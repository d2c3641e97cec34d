using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Replacements for operations that libtorch lacks on the meta device, where tensors have shapes but no values.
/// </summary>
/// <remarks>
/// PyTorch implements these kernels in Python. Here, tensors on the meta device go through another operation
/// with the same inputs and the same output shape. So a model of any size can be created and run without
/// memory, and hard-coded devices are still detected.
/// </remarks>
internal static class MetaDevice
{
    /// <summary>Whether a tensor is on the meta device, and so has no values.</summary>
    public static bool IsMeta(this Tensor tensor) => tensor.device_type == DeviceType.META;

    /// <summary>
    /// Looks up rows of a table [rows, channels] by their indices, int64 [count]; returns [count, channels].
    /// </summary>
    public static Tensor Rows(this Tensor table, Tensor numbers) =>
        numbers.IsMeta() ? table.index(numbers) : table.index_select(0, numbers);

    /// <summary>max(0, x).</summary>
    public static Tensor Relu(Tensor x) => x.IsMeta() ? x.clamp_min(0) : nn.functional.relu(x);

    /// <summary>Applies a layer norm over the last axis: <c>norm.call(x)</c>, also on the meta device.</summary>
    public static Tensor Normalize(this LayerNorm norm, Tensor x) => x.Through(norm);

    /// <summary>Applies a layer to a tensor in reading order: <c>layer.call(x)</c>, also on the meta device.</summary>
    /// <remarks>
    /// Handles the layers of TorchSharp that have no kernel for the meta device. Their hooks do not run there.
    /// </remarks>
    public static Tensor Through(this Tensor x, nn.Module<Tensor, Tensor> layer)
    {
        if (!x.IsMeta() || layer is not (LayerNorm or BatchNorm2d or AdaptiveAvgPool2d)) return layer.call(x);
        var y = WithoutNumbers(x, layer);
        ActivationRules.Layer(layer, x, y);
        return y;
    }

    private static Tensor WithoutNumbers(Tensor x, nn.Module<Tensor, Tensor> layer) => layer switch
    {
        LayerNorm norm => (x * norm.weight!) + norm.bias!,
        BatchNorm2d norm => (x - Channels(norm.running_mean!)) * Channels(norm.weight!)
            / Channels(norm.running_var!) + Channels(norm.bias!),
        AdaptiveAvgPool2d pool => Spread(x.mean([2, 3], keepdim: true), pool.output_size[0], pool.output_size[^1]),
        _ => layer.call(x),
    };

    /// <summary>
    /// Expands one value a channel, [batch, channels, 1, 1], to a feature map of the given height and width.
    /// </summary>
    public static Tensor Spread(Tensor x, long height, long width) =>
        x.expand(x.shape[0], x.shape[1], height, width).contiguous();

    private static Tensor Channels(Tensor perChannel) => perChannel.view(1, -1, 1, 1);
}
