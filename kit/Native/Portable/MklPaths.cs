using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Has MKL choose its kernels by what the processor can do, on processors that are not Intel's too.</summary>
/// <remarks>
/// MKL asks one exported function (<c>mkl_serv_intel_cpu_true</c>) whose processor it runs on, once, before its first product; on
/// AMD's processors the answer sends small products and attention down paths that are slower by up to a factor of four. To answer
/// yes has no effect once MKL has asked. Linux with glibc only.
/// </remarks>
internal static unsafe class MklPaths
{
    private const string Question = "mkl_serv_intel_cpu_true";

    /// <summary>Whether MKL was told in this process.</summary>
    public static bool IsTold { get; private set; }

    /// <summary>Whether MKL is in this libtorch and takes the processor for another maker's.</summary>
    public static bool IsNeeded =>
        IsTold || (NativeLibrary.TryGetExport(Library, Question, out var ask) && ((delegate* unmanaged[Cdecl]<int>)ask)() == 0);

    private static nint Library => NativeLibrary.Load(NativeLibraries.TorchPath);

    /// <summary>Answers the question from now on.</summary>
    /// <returns>False where it cannot be, or is switched off.</returns>
    public static bool Tell()
    {
        if (!IsTold && !Workarounds.IsOff(Workarounds.MklPath))
            IsTold = ExportedFunction.Replace(Library, Question, (nint)(delegate* unmanaged[Cdecl]<int>)&Yes) != 0;
        return IsTold;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Yes() => 1;
}
