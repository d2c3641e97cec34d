using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Sets the number of threads of a portable run on every thread that computes.</summary>
/// <remarks>
/// OpenMP's number of threads is a setting of the calling thread. Another thread starts with the number of
/// cores, until its first parallel loop in libtorch. Libraries call <c>omp_get_max_threads</c> before they
/// divide work. The replacement of that function sets the number on each thread that calls it for the first
/// time.
/// </remarks>
internal static unsafe class PortableThreads
{
    private static delegate* unmanaged[Cdecl]<int> maximum;
    private static delegate* unmanaged[Cdecl]<int, void> set;
    private static volatile int count;

    [ThreadStatic]
    private static bool isSet;

    public static void Fix(int threads)
    {
        var torch = NativeLibrary.Load(NativeLibraries.TorchPath);
        if (!NativeLibrary.TryGetExport(torch, "omp_set_num_threads", out var setter)) throw PortableMode.Missing("OpenMP");
        set = (delegate* unmanaged[Cdecl]<int, void>)setter;
        Set(threads);
        if (maximum is null)
        {
            if (!NativeLibrary.TryGetExport(torch, "omp_get_max_threads", out var getter)) throw PortableMode.Missing("OpenMP");
            maximum = (delegate* unmanaged[Cdecl]<int>)getter;
            if (ExportedFunction.Replace(torch, "omp_get_max_threads", (nint)(delegate* unmanaged[Cdecl]<int>)&Maximum) == 0)
                throw PortableMode.Missing("OpenMP's number of threads");
        }
    }

    /// <summary>Sets another number of threads.</summary>
    public static void Set(int threads)
    {
        count = threads;
        isSet = true;
        TorchSharp.torch.set_num_threads(threads);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Maximum()
    {
        if (!isSet)
        {
            isSet = true;
            set(count);
        }
        return maximum();
    }
}
