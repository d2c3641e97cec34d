using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>MKL's part of a portable run.</summary>
/// <remarks>
/// MKL's conditional numerical reproducibility (<c>MKL_CBWR=AVX2,STRICT</c>) takes one code path whatever the processor can do
/// and wherever a matrix begins in memory. It is made for Intel's processors: math functions, products and Fourier transforms
/// differ on others until MKL takes them for Intel's. The sizes of the caches are given too, since blocks are planned by them.
/// </remarks>
internal static unsafe class PortableMkl
{
    /// <summary>As MKL counts: the number of levels, then bytes of each.</summary>
    private static readonly long[] Caches = [3, 32 << 10, 256 << 10, 8 << 20, 0];

    public static void Fix()
    {
        if (!MklPaths.Tell()) throw PortableMode.Missing("MKL's question whose processor it runs on");
        var torch = NativeLibrary.Load(NativeLibraries.TorchPath);
        if (ExportedFunction.Replace(torch, "mkl_serv_cache_info", (nint)(delegate* unmanaged[Cdecl]<long*, void>)&CacheInfo) == 0
            || ExportedFunction.Replace(torch, "mkl_serv_get_cache_size",
                (nint)(delegate* unmanaged[Cdecl]<int, long>)&CacheSize) == 0)
            throw PortableMode.Missing("MKL's sizes of the caches");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void CacheInfo(long* levels) => Caches.CopyTo(new Span<long>(levels, Caches.Length));

    /// <summary>Of the last level for level 0, -1 for a level that there is not.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long CacheSize(int level) => level < 0 || level > Caches[0] ? -1 : Caches[level == 0 ? Caches[0] : level];
}
