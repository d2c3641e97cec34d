using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Brings the values of any tensor, piece by piece, into the processor's memory as float32 or float64.</summary>
internal static class TensorStatisticsPieces
{
    /// <summary>Elements converted at once: few enough to stay in the cache, and for libtorch not to wake its threads.</summary>
    private const long CachePiece = 1 << 15;

    /// <summary>Elements converted at once on another device, where every call and every copy is dear.</summary>
    private const long DevicePiece = 1 << 22;

    /// <summary>Reads all values, in some order that depends on the layout only.</summary>
    public static void Read(Tensor values, TensorStatisticsPass pass)
    {
        if (values.numel() == 0) return;
        var ordered = InMemoryOrder(values);
        if (IsPlainMemory(ordered)) Measure(ordered, pass);
        else Split(ordered, pass);
    }

    /// <summary>All values in row-major order, as doubles; for small tensors and samples.</summary>
    public static double[] Doubles(Tensor values)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return values.numel() == 0 ? [] : OnProcessor(values.detach()).to(ScalarType.Float64).data<double>().ToArray();
    }

    /// <summary>The axes by falling stride; whatever order the axes had, a dense tensor is then one run of memory.</summary>
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

    /// <summary>Converts on the tensor's own device, then copies: float64 where float32 would round, else float32.</summary>
    private static Tensor OnProcessor(Tensor values)
    {
        if (values.dtype is ScalarType.QInt8 or ScalarType.QUInt8 or ScalarType.QInt32) values = values.dequantize();
        if (values.dtype is ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64) values = values.abs();
        var wide = values.dtype is ScalarType.Int32 or ScalarType.Int64 or ScalarType.Float64;
        if (values.device_type == DeviceType.MPS) values = values.cpu();   // has no float64
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
