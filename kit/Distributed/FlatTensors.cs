using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>
/// Packs many tensors into few contiguous buckets in main memory for an all-reduce or broadcast, and unpacks
/// the results.
/// </summary>
/// <remarks>
/// Small tensors share a bucket of up to 25 MB, because each exchange with other processes has a fixed cost. A
/// tensor of 1 MB or more is exchanged alone, and without a copy if it is contiguous in main memory. The
/// buckets and their order depend only on shapes, dtypes and devices, so they are the same in all processes.
/// </remarks>
internal static class FlatTensors
{
    /// <summary>Largest size of a bucket, in bytes.</summary>
    public const long BucketBytes = 25 << 20;

    /// <summary>A tensor of at least this many bytes is exchanged alone.</summary>
    public const long AloneBytes = 1 << 20;

    private static readonly TorchScript Script = new("FlatTensors.py");

    /// <summary>Exchanges tensors with other processes and overwrites them with the results.</summary>
    /// <param name="tensors">Tensors of any shape, dtype, device and stride.</param>
    /// <param name="dtypeOf">Maps a tensor's dtype to the dtype in which it is exchanged.</param>
    /// <param name="exchange">Overwrites a contiguous tensor in main memory with the result.</param>
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
