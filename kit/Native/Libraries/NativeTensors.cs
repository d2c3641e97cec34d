using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Tensor operations that libtorch's C interface has and TorchSharp lacks.</summary>
internal static unsafe class NativeTensors
{
    private static readonly nint Torch = NativeLibrary.Load(NativeLibraries.TorchPath);

    private static readonly delegate* unmanaged<nint, nint, int> AssignTensors =
        (delegate* unmanaged<nint, nint, int>)NativeLibrary.GetExport(Torch, "aoti_torch_assign_tensors");

    private static readonly delegate* unmanaged<nint, long, long*, long*, long, nint*, int> Reinterpret =
        (delegate* unmanaged<nint, long, long*, long*, long, nint*, int>)NativeLibrary.GetExport(Torch,
            "aoti_torch__reinterpret_tensor");

    private static readonly delegate* unmanaged<nint, nint*, int> DataPointer =
        (delegate* unmanaged<nint, nint*, int>)NativeLibrary.GetExport(Torch, "aoti_torch_get_data_ptr");

    /// <summary>Returns the address of a tensor's values; valid as long as the tensor.</summary>
    public static nint Data(Tensor tensor)
    {
        nint start;
        if (DataPointer(tensor.Handle, &start) != 0)
            throw new InvalidOperationException("libtorch returned no address for the values of a tensor.");
        GC.KeepAlive(tensor);
        return start;
    }

    /// <summary>
    /// Makes <paramref name="target"/> an alias of <paramref name="source"/>: same memory, shape, device and
    /// gradient.
    /// </summary>
    public static void Assign(Tensor target, Tensor source)
    {
        if (AssignTensors(source.Handle, target.Handle) != 0)
            throw new InvalidOperationException("libtorch could not assign one tensor to another.");
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>
    /// Creates a tensor, not a view, on a part of the memory of another tensor, and keeps that memory alive.
    /// </summary>
    /// <param name="memory">Tensor that owns the memory.</param>
    /// <param name="shape">Shape of the new tensor.</param>
    /// <param name="strides">Strides of the new tensor, in elements.</param>
    /// <param name="offset">Index of the first element in the memory.</param>
    public static Tensor Window(Tensor memory, long[] shape, long[] strides, long offset)
    {
        nint window;
        fixed (long* sizes = shape, steps = strides)
            if (Reinterpret(memory.Handle, shape.Length, sizes, steps, offset, &window) != 0)
                throw new InvalidOperationException("libtorch could not create a tensor on the memory of another tensor.");
        GC.KeepAlive(memory);
        return Tensor.UnsafeCreateTensor(window);
    }
}
