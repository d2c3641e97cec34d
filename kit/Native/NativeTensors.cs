using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>What libtorch's C interface can do with a tensor and TorchSharp cannot.</summary>
internal static unsafe class NativeTensors
{
    private static readonly delegate* unmanaged<nint, nint, int> AssignTensors =
        (delegate* unmanaged<nint, nint, int>)NativeLibrary.GetExport(NativeLibrary.Load(NativeLibraries.TorchPath), "aoti_torch_assign_tensors");

    /// <summary>Makes <paramref name="target"/> another name of <paramref name="source"/>: same memory, shape, device and gradient.</summary>
    public static void Assign(Tensor target, Tensor source)
    {
        if (AssignTensors(source.Handle, target.Handle) != 0) throw new InvalidOperationException("libtorch could not assign a tensor.");
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }
}
