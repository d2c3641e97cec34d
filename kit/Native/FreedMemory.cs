using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Memory that native code has freed and the C library has kept.</summary>
internal static partial class FreedMemory
{
    private const long LeastPause = 1000;             // milliseconds
    private const double PausePerByte = 50 * 1.5e-6;  // fifty times what fetching a byte's page takes on a virtual machine

    private static bool absent = !OperatingSystem.IsLinux();
    private static long next;

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

    /// <summary>Does so at most once a second, and so seldom that it takes about a fiftieth of the time.</summary>
    /// <remarks>
    /// For loops that make and free tensors of many sizes. Until glibc 2.38 the free pieces between aligned ones grow there without need:
    /// in a thousand steps of a small model to several times of what is in use. What is given back must be fetched again, page by page.
    /// </remarks>
    public static void ReturnNowAndThen()
    {
        var now = Environment.TickCount64;
        if (absent || now < next) return;
        var before = Environment.WorkingSet;
        Return();
        next = now + Math.Max(LeastPause, (long)(PausePerByte * (before - Environment.WorkingSet)));
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
}
