using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Memory that native code has freed and the C library has kept.</summary>
internal static partial class FreedMemory
{
    private static bool absent = !OperatingSystem.IsLinux();

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

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
}
