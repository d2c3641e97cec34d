using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Products of float32 matrices by oneDNN, which libtorch carries but does not multiply float32 with.</summary>
/// <remarks>
/// libtorch's own products are MKL's. Which of the two is faster depends on the processor and on the sizes; <see cref="Kernels"/>
/// chooses. Reached through the C interface that compiled PyTorch models use.
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

    /// <summary>Whether this system's libtorch has them, and they are not switched off.</summary>
    public static bool IsThere => LinearPointwise is not null && !Workarounds.IsOff(Workarounds.OneDnnProducts);

    /// <summary>
    /// Whether these can be multiplied so: float32, on the CPU, not empty, of shapes that fit; libtorch says what is wrong with
    /// others.
    /// </summary>
    public static bool Fits(Tensor x, Tensor weight, Tensor? bias = null) =>
        IsPlain(x) && IsPlain(weight) && (bias is null || IsPlain(bias))
        && x.dim() > 0 && weight.dim() == 2 && x.shape[^1] == weight.shape[1]
        && (bias is null || (bias.dim() == 1 && bias.shape[0] == weight.shape[0]));

    private static bool IsPlain(Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.numel() > 0;

    /// <summary>x Wᵀ + b, without recording it for a gradient.</summary>
    /// <param name="x">float32 [rows, in].</param>
    /// <param name="weight">float32 [out, in].</param>
    /// <param name="bias">float32 [out], or null.</param>
    /// <returns>[rows, out].</returns>
    public static Tensor Multiply(Tensor x, Tensor weight, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        return MultiplyPacked(InRows(x), InRows(weight), bias).MoveToOuterDisposeScope();
    }

    /// <summary>A weight in oneDNN's blocked format, laid out once for many products.</summary>
    /// <param name="weight">float32 or bfloat16 [out, in].</param>
    /// <returns>Null where this libtorch cannot do it.</returns>
    public static Tensor? Pack(Tensor weight)
    {
        if (!IsThere || Dispatch is null || NewHandle is null) return null;
        nint handle;
        if (NewHandle(weight.Handle, &handle) != 0) return null;
        var stack = stackalloc nint[] { handle, 0 };   // the weight, which is consumed, and no hint of how many rows it will meet
        int error;
        fixed (byte* name = "mkldnn::_reorder_linear_weight\0"u8, overload = "\0"u8) error = Dispatch(name, overload, stack);
        GC.KeepAlive(weight);
        return error == 0 ? Tensor.UnsafeCreateTensor(stack[0]) : null;
    }

    /// <summary>x Wᵀ + b by a packed weight, without recording it for a gradient.</summary>
    /// <param name="x">[..., in], of the weight's dtype; not empty.</param>
    /// <param name="weight">What <see cref="Pack"/> gave.</param>
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
    /// A matrix whose rows or columns lie whole in memory, as it is; any other anew, such as the one number, spread over a
    /// matrix, that is the gradient of a sum: oneDNN has no fast way for it.
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
