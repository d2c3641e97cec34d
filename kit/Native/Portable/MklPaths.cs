using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Makes MKL choose its kernels by instruction sets on processors of other makers than Intel too.
/// </summary>
/// <remarks>
/// Before its first product, MKL calls the exported function <c>mkl_serv_intel_cpu_true</c> once, to find out
/// whether it runs on an Intel processor. On AMD processors the answer selects code paths that are up to four
/// times slower for small products and attention. Replacing the function has no effect after MKL has called it.
/// Linux with glibc only.
/// </remarks>
internal static unsafe class MklPaths
{
    private const string Question = "mkl_serv_intel_cpu_true";

    /// <summary>Whether the function was replaced in this process.</summary>
    public static bool IsTold { get; private set; }

    /// <summary>Whether libtorch contains MKL, and MKL does not take the processor for an Intel one.</summary>
    public static bool IsNeeded =>
        IsTold || (NativeLibrary.TryGetExport(Library, Question, out var ask) && ((delegate* unmanaged[Cdecl]<int>)ask)() == 0);

    private static nint Library => NativeLibrary.Load(NativeLibraries.TorchPath);

    /// <summary>Replaces the function by one that answers yes.</summary>
    /// <returns>False where it cannot be replaced, or the workaround is switched off.</returns>
    public static bool Tell()
    {
        if (!IsTold && !Workarounds.IsOff(Workarounds.MklPath))
            IsTold = ExportedFunction.Replace(Library, Question, (nint)(delegate* unmanaged[Cdecl]<int>)&Yes) != 0;
        return IsTold;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Yes() => 1;
}
