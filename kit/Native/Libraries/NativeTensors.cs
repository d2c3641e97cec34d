using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>What libtorch's C interface can do with a tensor and TorchSharp cannot.</summary>
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

    /// <summary>Where the numbers of a tensor begin; valid while the tensor is.</summary>
    public static nint Data(Tensor tensor)
    {
        nint start;
        if (DataPointer(tensor.Handle, &start) != 0)
            throw new InvalidOperationException("libtorch did not say where a tensor lies.");
        GC.KeepAlive(tensor);
        return start;
    }

    /// <summary>
    /// Makes <paramref name="target"/> another name of <paramref name="source"/>: same memory, shape, device and gradient.
    /// </summary>
    public static void Assign(Tensor target, Tensor source)
    {
        if (AssignTensors(source.Handle, target.Handle) != 0)
            throw new InvalidOperationException("libtorch could not assign a tensor.");
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>A tensor of its own, not a view, on a part of another's memory, which it keeps alive.</summary>
    /// <param name="memory">Whose memory.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="strides">Elements from one to the next along each axis.</param>
    /// <param name="offset">The first element.</param>
    public static Tensor Window(Tensor memory, long[] shape, long[] strides, long offset)
    {
        nint window;
        fixed (long* sizes = shape, steps = strides)
            if (Reinterpret(memory.Handle, shape.Length, sizes, steps, offset, &window) != 0)
                throw new InvalidOperationException("libtorch could not make a tensor on another's memory.");
        GC.KeepAlive(memory);
        return Tensor.UnsafeCreateTensor(window);
    }
}
