using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Gets memory ready that is about to be filled whole.</summary>
/// <remarks>
/// Fresh memory has no pages until it is touched, 4 KB at a time, each a trip into the system: for a model's weights that takes
/// longer than reading them. On Linux the system is asked for large pages, and for all of them at once. Elsewhere, or where it
/// says no, nothing happens.
/// </remarks>
internal static unsafe partial class LargePages
{
    private const int Huge = 14, PopulateForWriting = 23;   // MADV_HUGEPAGE, MADV_POPULATE_WRITE
    private const long PageSize = 4096, HugeSize = 2 << 20;

    /// <summary>Announces that <paramref name="length"/> bytes from <paramref name="start"/> will be written.</summary>
    public static void Expect(nint start, long length)
    {
        if (!OperatingSystem.IsLinux() || length < HugeSize || Workarounds.IsOff(Workarounds.Pages)) return;
        Advise(start, length, HugeSize, Huge);
        Advise(start, length, PageSize, PopulateForWriting);
    }

    private static void Advise(nint start, long length, long unit, int advice)
    {
        var from = (start + unit - 1) / unit * unit;
        var bytes = (start + length - from) / unit * unit;
        if (bytes > 0) _ = madvise((void*)from, (nuint)bytes, advice);
    }

    [LibraryImport("libc")]
    private static partial int madvise(void* start, nuint length, int advice);
}
