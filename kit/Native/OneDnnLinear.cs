using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Products of float32 matrices by oneDNN, which libtorch carries but does not multiply float32 with.</summary>
/// <remarks>
/// libtorch's own products are MKL's. Which of the two is faster depends on the processor and on the sizes; <see cref="Kernels"/> chooses.
/// Reached through the C interface that compiled PyTorch models use.
/// </remarks>
internal static unsafe class OneDnnLinear
{
    private static readonly delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int> LinearPointwise = Find();

    /// <summary>Whether this system's libtorch has them, and they are not switched off.</summary>
    public static bool IsThere => LinearPointwise is not null && !Workarounds.IsOff(Workarounds.OneDnnProducts);

    /// <summary>Whether these can be multiplied so: float32, on the CPU, not empty, of shapes that fit; libtorch says what is wrong with others.</summary>
    public static bool Fits(Tensor x, Tensor weight, Tensor? bias = null) => IsPlain(x) && IsPlain(weight) && (bias is null || IsPlain(bias))
        && x.dim() > 0 && weight.dim() == 2 && x.shape[^1] == weight.shape[1] && (bias is null || (bias.dim() == 1 && bias.shape[0] == weight.shape[0]));

    private static bool IsPlain(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.numel() > 0;

    /// <summary>x Wᵀ + b, without recording it for a gradient.</summary>
    /// <param name="x">float32 [rows, in].</param>
    /// <param name="weight">float32 [out, in].</param>
    /// <param name="bias">float32 [out], or null.</param>
    /// <returns>[rows, out].</returns>
    public static Tensor Multiply(Tensor x, Tensor weight, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        var (rows, weights) = (InRows(x), InRows(weight));
        nint product, biasHandle = bias?.Handle ?? 0;
        fixed (byte* none = "none\0"u8)
            if (LinearPointwise(rows.Handle, weights.Handle, bias is null ? null : &biasHandle, none, null, 0, null, &product) != 0)
                throw new InvalidOperationException("oneDNN could not multiply two matrices.");
        GC.KeepAlive(rows);
        GC.KeepAlive(weights);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(product).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A matrix whose rows or columns lie whole in memory, as it is; any other anew, such as the one number, spread over a matrix, that is
    /// the gradient of a sum: oneDNN has no fast way for it.
    /// </summary>
    private static Tensor InRows(Tensor matrix)
    {
        var (rows, columns) = (matrix.stride(0), matrix.stride(1));
        return (columns == 1 && rows >= matrix.shape[1]) || (rows == 1 && columns >= matrix.shape[0]) ? matrix : matrix.contiguous();
    }

    private static delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int> Find() =>
        NativeLibrary.TryGetExport(NativeLibrary.Load(NativeLibraries.TorchPath), "aoti_torch_cpu__linear_pointwise", out var function)
            ? (delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int>)function : null;
}
