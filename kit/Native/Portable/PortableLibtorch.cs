using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>
/// libtorch's own part of a portable run: the instruction sets that it detects, and sums whose order does not
/// depend on thread timing.
/// </summary>
internal static unsafe class PortableLibtorch
{
    // Indices in cpuinfo_isa of the cpuinfo library, which has one byte for each instruction set, on x64.
    private const int Avx = 22, AvxVnni = 23, Fma3 = 24, F16c = 27, WideAvx2 = 28, FirstWider = 29, LastWider = 55;

    public static void Fix()
    {
        HideWiderInstructions();
        SumInOrder();
    }

    /// <summary>
    /// Hides AVX-512 and AMX, because libtorch uses other code for bfloat16 where it detects them.
    /// </summary>
    private static void HideWiderInstructions()
    {
        var core = NativeLibrary.Load(Path.Combine(Path.GetDirectoryName(NativeLibraries.TorchPath)!, "libc10.so"));
        if (!NativeLibrary.TryGetExport(core, "cpuinfo_initialize", out var initialize)
            || !NativeLibrary.TryGetExport(core, "cpuinfo_isa", out var place))
            throw PortableMode.Missing("libtorch's list of instruction sets");
        _ = ((delegate* unmanaged[Cdecl]<byte>)initialize)();
        var sets = new Span<byte>((void*)place, LastWider + 1);
        if (sets[Avx] != 1 || sets[Fma3] != 1 || sets[F16c] != 1 || sets[WideAvx2] != 1
            || sets[FirstWider] != (Avx512F.IsSupported ? 1 : 0))
            throw PortableMode.Missing("libtorch's list of instruction sets");
        sets[AvxVnni] = 0;
        sets[FirstWider..].Clear();
    }

    /// <summary>
    /// Switches on deterministic algorithms. Without them the gradient of an indexing (<c>weight[tokens]</c>) is
    /// summed by several threads in the order in which they arrive. Filling new tensors, which the switch also
    /// enables, is not needed and stays off.
    /// </summary>
    private static void SumInOrder()
    {
        var torch = NativeLibrary.Load(NativeLibraries.TorchPath);
        if (!NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out var context)
            || !NativeLibrary.TryGetExport(torch, "_ZN2at7Context26setDeterministicAlgorithmsEbb", out var order)
            || !NativeLibrary.TryGetExport(torch, "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb", out var fill))
            throw PortableMode.Missing("libtorch's switch for deterministic algorithms");
        var global = ((delegate* unmanaged[Cdecl]<nint>)context)();
        // on; operations without a deterministic algorithm only warn
        ((delegate* unmanaged[Cdecl]<nint, byte, byte, void>)order)(global, 1, 1);
        ((delegate* unmanaged[Cdecl]<nint, byte, void>)fill)(global, 0);
    }
}
