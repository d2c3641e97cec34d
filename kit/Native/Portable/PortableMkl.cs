using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>MKL's part of a portable run.</summary>
/// <remarks>
/// MKL's conditional numerical reproducibility (<c>MKL_CBWR=AVX2,STRICT</c>) uses one code path for all
/// processors and all alignments of matrices in memory. It is made for Intel processors: on others, math
/// functions, products and Fourier transforms differ until MKL takes the processor for an Intel one. The cache
/// sizes are fixed too, because MKL chooses its blocks by them.
/// </remarks>
internal static unsafe class PortableMkl
{
    /// <summary>Cache sizes in MKL's format: the number of levels, then the bytes of each level.</summary>
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

    /// <summary>
    /// Returns the size of a cache level. Level 0 means the last level; the result is -1 for a level that does not
    /// exist.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long CacheSize(int level) => level < 0 || level > Caches[0] ? -1 : Caches[level == 0 ? Caches[0] : level];
}
