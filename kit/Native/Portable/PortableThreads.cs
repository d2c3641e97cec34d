using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>The number of threads of a portable run, on every thread that computes.</summary>
/// <remarks>
/// To set OpenMP's number is to set it for the calling thread; another thread begins with as many as the machine has cores until
/// its first parallel loop of libtorch. Libraries ask <c>omp_get_max_threads</c> before they share work out: its replacement sets
/// the number on each thread that asks for the first time.
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

    /// <summary>Another number of threads, from now on.</summary>
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
