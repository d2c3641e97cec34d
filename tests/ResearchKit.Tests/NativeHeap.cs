using System.Runtime.InteropServices;

namespace ResearchKit.Tests;

/// <summary>Memory that native code holds; all that libtorch has for tensors on the CPU is among it.</summary>
internal static class NativeHeap
{
    /// <summary>Whether this system's C library says it.</summary>
    public static bool IsKnown { get; } = NativeLibrary.TryLoad("libc.so.6", out var library)
        && NativeLibrary.TryGetExport(library, "mallinfo2", out _);

    /// <summary>Bytes after the garbage of earlier tests is gone, which would otherwise be freed in between.</summary>
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Bytes();
    }

    /// <summary>Bytes now.</summary>
    public static long Bytes()
    {
        var known = Read();
        return (long)(known.Small + known.Mapped);
    }

    /// <summary>Bytes that were freed and that the C library keeps for what is allocated next.</summary>
    public static long Free() => (long)Read().Kept;

    [DllImport("libc.so.6", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern Known Read();

    /// <summary>
    /// struct mallinfo2 of glibc: uordblks is what is in use, fordblks what is free, hblkhd what was mapped on its own.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Known
    {
        private readonly nuint arena, ordblks, smblks, hblks;
        public readonly nuint Mapped;
        private readonly nuint usmblks, fsmblks;
        public readonly nuint Small, Kept;
        private readonly nuint keepcost;
    }
}
