using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>Brings many tensors together into few contiguous ones in main memory, and what became of those back.</summary>
/// <remarks>
/// Small tensors share a bucket of 25 MB, for each exchange with other processes has a cost of its own; those of 1 MB and more
/// are exchanged where they lie. What is exchanged, and in which order, follows from the shapes and dtypes alone.
/// </remarks>
internal static class FlatTensors
{
    /// <summary>Bytes of a bucket.</summary>
    public const long BucketBytes = 25 << 20;

    /// <summary>Bytes from which on a tensor is exchanged alone.</summary>
    public const long AloneBytes = 1 << 20;

    private static readonly TorchScript Script = new("FlatTensors.py");

    /// <summary>Exchanges tensors, which are changed in place.</summary>
    /// <param name="tensors">Of any shapes, dtypes, devices and strides.</param>
    /// <param name="dtypeOf">The dtype in which a tensor is exchanged.</param>
    /// <param name="exchange">Changes a contiguous tensor in main memory.</param>
    public static void Exchange(IReadOnlyList<Tensor> tensors, Func<ScalarType, ScalarType> dtypeOf, Action<Tensor> exchange)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var buckets = new Dictionary<(ScalarType, DeviceType), (List<Tensor> Tensors, long Bytes)>();
        foreach (var tensor in tensors)
        {
            var type = tensor.dtype;
            var kind = (tensor.dtype, tensor.device_type);
            var bytes = tensor.numel() * tensor.element_size();
            if (bytes == 0) continue;
            if (bytes >= AloneBytes)
            {
                if (dtypeOf(type) == type && tensor.device_type == DeviceType.CPU && tensor.is_contiguous()) exchange(tensor);
                else Through([tensor], dtypeOf(type), exchange);
                continue;
            }
            var (waiting, filled) = buckets.GetValueOrDefault(kind, ([], 0));
            if (filled + bytes > BucketBytes)
            {
                Through(waiting, dtypeOf(type), exchange);
                waiting = [];
                filled = 0;
            }
            waiting.Add(tensor);
            buckets[kind] = (waiting, filled + bytes);
        }
        foreach (var ((type, _), (waiting, _)) in buckets) Through(waiting, dtypeOf(type), exchange);
    }

    private static void Through(List<Tensor> tensors, ScalarType type, Action<Tensor> exchange)
    {
        using var scope = NewDisposeScope();
        var together = tensors.ToArray();
        var flat = (Tensor)Script.Call("join", together, (long)type);
        exchange(flat);
        Script.Call("split", flat, together);
    }
}
