using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>
/// libtorch's own part of a portable run: the instruction sets that it sees, and sums whose order does not depend on the threads'
/// race.
/// </summary>
internal static unsafe class PortableLibtorch
{
    // cpuinfo_isa of cpuinfo, one byte for each instruction set, on x64.
    private const int Avx = 22, AvxVnni = 23, Fma3 = 24, F16c = 27, WideAvx2 = 28, FirstWider = 29, LastWider = 55;

    public static void Fix()
    {
        HideWiderInstructions();
        SumInOrder();
    }

    /// <summary>libtorch takes other paths for bfloat16 where it sees AVX-512 or AMX.</summary>
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
    /// Without this the gradient of an indexing (<c>weight[tokens]</c>) is added up by several threads in the order in which they
    /// come. New tensors need not be filled for it.
    /// </summary>
    private static void SumInOrder()
    {
        var torch = NativeLibrary.Load(NativeLibraries.TorchPath);
        if (!NativeLibrary.TryGetExport(torch, "_ZN2at13globalContextEv", out var context)
            || !NativeLibrary.TryGetExport(torch, "_ZN2at7Context26setDeterministicAlgorithmsEbb", out var order)
            || !NativeLibrary.TryGetExport(torch, "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb", out var fill))
            throw PortableMode.Missing("libtorch's switch for deterministic algorithms");
        var global = ((delegate* unmanaged[Cdecl]<nint>)context)();
        ((delegate* unmanaged[Cdecl]<nint, byte, byte, void>)order)(global, 1, 1);   // on; an operation that has none warns
        ((delegate* unmanaged[Cdecl]<nint, byte, void>)fill)(global, 0);
    }
}
