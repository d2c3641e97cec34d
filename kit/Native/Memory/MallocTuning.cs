using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Controls whether glibc's heap keeps freed memory or returns it to the system. Does nothing with other C
/// libraries.
/// </summary>
internal static partial class MallocTuning
{
    /// <summary>
    /// M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h, and the largest values that glibc's dynamic adjustment
    /// gives them.
    /// </summary>
    private const int TrimThreshold = -1, MapThreshold = -3, LargestTrim = 64 << 20, LargestMap = 32 << 20, Never = int.MaxValue;

    private static readonly Lock gate = new();
    private static bool absent = !OperatingSystem.IsLinux() || Workarounds.IsOff(Workarounds.Malloc);
    private static int keepers;

    /// <summary>Whether this system's heap can be tuned.</summary>
    public static bool IsThere => !absent;

    /// <summary>Returns free memory to the system, which takes a few milliseconds.</summary>
    public static void Return() => Try(() => malloc_trim(0));

    /// <summary>
    /// Keeps freed memory in the process until the returned object is disposed, and then returns it to the system.
    /// Repeated work, such as training steps, needs the same memory each time, and requesting it from the system
    /// each time is slower.
    /// </summary>
    public static IDisposable Keep()
    {
        lock (gate)
            if (keepers++ == 0) Adjust(Never);
        return new Keeping();
    }

    /// <summary>
    /// Sets both thresholds, because setting one of them switches off glibc's dynamic adjustment of both.
    /// </summary>
    private static void Adjust(int trim) => Try(() => mallopt(TrimThreshold, trim) & mallopt(MapThreshold, LargestMap));

    private static void Try(Func<int> call)
    {
        if (absent) return;
        try
        {
            _ = call();
        }
        catch (EntryPointNotFoundException)   // another C library
        {
            absent = true;
        }
    }

    private sealed class Keeping : IDisposable
    {
        private bool ended;

        public void Dispose()
        {
            lock (gate)
            {
                if (ended) return;
                ended = true;
                if (--keepers > 0) return;
                Adjust(LargestTrim);
            }
            Return();
            GC.SuppressFinalize(this);
        }

        /// <summary>Finalizer: releases the hold that nobody disposed.</summary>
        ~Keeping() => Dispose();
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);
}
