using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>What happens to memory that native code frees: glibc's heap; elsewhere nothing here does anything.</summary>
internal static partial class MallocTuning
{
    /// <summary>
    /// M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h, and the bounds that glibc's own adjusting of both has.
    /// </summary>
    private const int TrimThreshold = -1, MapThreshold = -3, LargestTrim = 64 << 20, LargestMap = 32 << 20, Never = int.MaxValue;

    private static readonly Lock gate = new();
    private static bool absent = !OperatingSystem.IsLinux() || Workarounds.IsOff(Workarounds.Malloc);
    private static int keepers;

    /// <summary>Whether this system's heap can be tuned so.</summary>
    public static bool IsThere => !absent;

    /// <summary>Gives what is free back to the system, a few milliseconds' work.</summary>
    public static void Return() => Try(() => malloc_trim(0));

    /// <summary>
    /// Keeps what is freed until the returned is disposed, and then gives it back: what does the same again and again, such as
    /// training, needs the same memory each time, and to get it anew each time from the system takes longer.
    /// </summary>
    public static IDisposable Keep()
    {
        lock (gate)
            if (keepers++ == 0) Adjust(Never);
        return new Keeping();
    }

    /// <summary>To set one of the two ends glibc's own adjusting of both.</summary>
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
