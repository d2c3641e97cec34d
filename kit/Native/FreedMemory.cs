using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Memory that native code has freed and the C library has kept.</summary>
internal static partial class FreedMemory
{
    private const long Milliseconds = 1000;

    private static bool absent = !OperatingSystem.IsLinux();
    private static long last;

    /// <summary>Gives what is free in glibc's heap back to the system, a few milliseconds' work; elsewhere nothing.</summary>
    public static void Return()
    {
        if (absent) return;
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)   // another C library, which returns memory by itself
        {
            absent = true;
        }
    }

    /// <summary>Does so at most once a second.</summary>
    /// <remarks>
    /// In a loop that makes and frees tensors of many sizes, the free pieces between those in use grow for a thousand rounds, to half of
    /// all that a small model's training holds.
    /// </remarks>
    public static void ReturnNowAndThen()
    {
        var now = Environment.TickCount64;
        if (now - last < Milliseconds) return;
        last = now;
        Return();
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
}
