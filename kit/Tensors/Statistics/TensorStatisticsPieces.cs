using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Reads the values of any tensor in pieces, as float32 or float64 in main memory.</summary>
internal static class TensorStatisticsPieces
{
    /// <summary>
    /// Number of elements converted at once: small enough to stay in the cache and to be done by one thread of
    /// libtorch.
    /// </summary>
    private const long CachePiece = 1 << 15;

    /// <summary>
    /// Number of elements converted at once on another device, where every call and every copy is slow.
    /// </summary>
    private const long DevicePiece = 1 << 22;

    /// <summary>Reads all values, in an order that depends only on the memory layout.</summary>
    public static void Read(Tensor values, TensorStatisticsPass pass)
    {
        if (values.numel() == 0) return;
        var ordered = InMemoryOrder(values);
        if (IsPlainMemory(ordered)) Measure(ordered, pass);
        else Split(ordered, pass);
    }

    /// <summary>Returns all values in row-major order, as doubles; for small tensors and samples.</summary>
    public static double[] Doubles(Tensor values)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return values.numel() == 0 ? [] : OnProcessor(values.detach()).to(ScalarType.Float64).data<double>().ToArray();
    }

    /// <summary>Sorts the axes by descending stride, so that a dense tensor becomes contiguous.</summary>
    private static Tensor InMemoryOrder(Tensor values)
    {
        if (values.dim() < 2 || values.is_contiguous()) return values;
        var strides = values.stride();
        return values.permute([.. Enumerable.Range(0, strides.Length).OrderByDescending(axis => strides[axis])
            .Select(axis => (long)axis)]);
    }

    private static bool IsPlainMemory(Tensor values) =>
        values.device_type == DeviceType.CPU && values.is_contiguous() && !values.is_neg()
        && values.dtype is ScalarType.Float32 or ScalarType.Float64 or ScalarType.Int64 or ScalarType.Int32 or ScalarType.Int16
            or ScalarType.Int8 or ScalarType.Byte;

    private static void Split(Tensor values, TensorStatisticsPass pass)
    {
        var piece = values.device_type == DeviceType.CPU ? CachePiece : DevicePiece;
        if (values.numel() <= piece)
        {
            using var scope = NewDisposeScope();
            Measure(OnProcessor(values), pass);
            return;
        }
        if (values.dim() > 1 && values.is_contiguous()) values = values.view(-1);
        var rows = Math.Max(1, piece / (values.numel() / values.size(0)));
        for (var row = 0L; row < values.size(0); row += rows)
        {
            using var scope = NewDisposeScope();
            var part = values.narrow(0, row, Math.Min(rows, values.size(0) - row));
            Split(part.size(0) == 1 && part.numel() > piece ? part.squeeze(0) : part, pass);
        }
    }

    /// <summary>
    /// Converts a tensor on its own device, to float64 where float32 would round and else to float32, and copies it
    /// to main memory.
    /// </summary>
    private static Tensor OnProcessor(Tensor values)
    {
        if (values.dtype is ScalarType.QInt8 or ScalarType.QUInt8 or ScalarType.QInt32) values = values.dequantize();
        if (values.dtype is ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64) values = values.abs();
        var wide = values.dtype is ScalarType.Int32 or ScalarType.Int64 or ScalarType.Float64;
        if (values.device_type == DeviceType.MPS) values = values.cpu();   // MPS has no float64
        return values.to(wide ? ScalarType.Float64 : ScalarType.Float32).cpu().resolve_neg().contiguous();
    }

    private static unsafe void Measure(Tensor values, TensorStatisticsPass pass)
    {
        using var first = values.view(-1).narrow(0, 0, 1);
        fixed (byte* address = first.bytes)
        {
            var start = (nint)address;
            var count = values.numel();
            switch (values.dtype)
            {
                case ScalarType.Float64: pass.Add<double>(start, count); break;
                case ScalarType.Int64: pass.AddIntegers<long>(start, count); break;
                case ScalarType.Int32: pass.AddIntegers<int>(start, count); break;
                case ScalarType.Int16: pass.AddIntegers<short>(start, count); break;
                case ScalarType.Int8: pass.AddIntegers<sbyte>(start, count); break;
                case ScalarType.Byte: pass.AddIntegers<byte>(start, count); break;
                default: pass.Add<float>(start, count); break;
            }
        }
        GC.KeepAlive(values);
    }
}
