using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// Multiplies float32 matrices with oneDNN, which is part of libtorch but which libtorch does not use for
/// float32.
/// </summary>
/// <remarks>
/// libtorch's own float32 products use MKL. Which of the two is faster depends on the processor and on the
/// sizes; <see cref="Kernels"/> decides. Called through the C interface that compiled PyTorch models use.
/// </remarks>
internal static unsafe class OneDnnLinear
{
    private static readonly delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int> LinearPointwise =
        (delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*,
            int>)Find("aoti_torch_cpu__linear_pointwise");

    private static readonly delegate* unmanaged<byte*, byte*, nint*,
        int> Dispatch = (delegate* unmanaged<byte*, byte*, nint*, int>)Find("aoti_torch_call_dispatcher");

    private static readonly delegate* unmanaged<nint, nint*,
        int> NewHandle = (delegate* unmanaged<nint, nint*, int>)Find("aoti_torch_new_tensor_handle");

    /// <summary>
    /// Whether this system's libtorch exports the functions, and the workaround is not switched off.
    /// </summary>
    public static bool IsThere => LinearPointwise is not null && !Workarounds.IsOff(Workarounds.OneDnnProducts);

    /// <summary>
    /// Whether oneDNN can multiply these tensors: float32, on the CPU, not empty, of matching shapes. For other
    /// tensors, libtorch's own product reports what is wrong.
    /// </summary>
    public static bool Fits(Tensor x, Tensor weight, Tensor? bias = null) =>
        IsPlain(x) && IsPlain(weight) && (bias is null || IsPlain(bias))
        && x.dim() > 0 && weight.dim() == 2 && x.shape[^1] == weight.shape[1]
        && (bias is null || (bias.dim() == 1 && bias.shape[0] == weight.shape[0]));

    private static bool IsPlain(Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.numel() > 0;

    /// <summary>Computes x Wᵀ + b without recording a gradient.</summary>
    /// <param name="x">float32 [rows, in].</param>
    /// <param name="weight">float32 [out, in].</param>
    /// <param name="bias">float32 [out], or null.</param>
    /// <returns>[rows, out].</returns>
    public static Tensor Multiply(Tensor x, Tensor weight, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        return MultiplyPacked(InRows(x), InRows(weight), bias).MoveToOuterDisposeScope();
    }

    /// <summary>Packs a weight in oneDNN's blocked format, once for many products.</summary>
    /// <param name="weight">float32 or bfloat16 [out, in].</param>
    /// <returns>The packed weight; null where this libtorch does not support it.</returns>
    public static Tensor? Pack(Tensor weight)
    {
        if (!IsThere || Dispatch is null || NewHandle is null) return null;
        nint handle;
        if (NewHandle(weight.Handle, &handle) != 0) return null;
        // The weight, whose handle is consumed, and no hint about the number of rows.
        var stack = stackalloc nint[] { handle, 0 };
        int error;
        fixed (byte* name = "mkldnn::_reorder_linear_weight\0"u8, overload = "\0"u8) error = Dispatch(name, overload, stack);
        GC.KeepAlive(weight);
        return error == 0 ? Tensor.UnsafeCreateTensor(stack[0]) : null;
    }

    /// <summary>Computes x Wᵀ + b with a packed weight, without recording a gradient.</summary>
    /// <param name="x">[..., in], of the weight's dtype; not empty.</param>
    /// <param name="weight">Weight returned by <see cref="Pack"/>.</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>[..., out].</returns>
    public static Tensor MultiplyPacked(Tensor x, Tensor weight, Tensor? bias)
    {
        nint product, biasHandle = bias?.Handle ?? 0;
        int error;
        fixed (byte* none = "none\0"u8)
            error = LinearPointwise(x.Handle, weight.Handle, bias is null ? null : &biasHandle, none, null, 0, null, &product);
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
        return error == 0 ? Tensor.UnsafeCreateTensor(product)
            : throw new InvalidOperationException("oneDNN could not multiply two matrices.");
    }

    /// <summary>
    /// Returns the matrix if its rows or its columns are contiguous, else a contiguous copy. oneDNN is slow with
    /// other strides, such as those of the expanded scalar that is the gradient of a sum.
    /// </summary>
    private static Tensor InRows(Tensor matrix)
    {
        var rows = matrix.stride(0);
        var columns = matrix.stride(1);
        return (columns == 1 && rows >= matrix.shape[1]) || (rows == 1 && columns >= matrix.shape[0]) ? matrix
            : matrix.contiguous();
    }

    private static nint Find(string name) =>
        NativeLibrary.TryGetExport(NativeLibrary.Load(NativeLibraries.TorchPath), name, out var function) ? function : 0;
}
