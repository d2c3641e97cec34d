using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Prepares memory that is about to be filled completely.</summary>
/// <remarks>
/// Fresh memory gets its pages at the first access, 4 KB at a time, and each page costs a page fault. For the
/// weights of a model that takes longer than reading them. On Linux this class requests large pages, and all of
/// them at once. Elsewhere, or if the system refuses, nothing happens.
/// </remarks>
internal static unsafe partial class LargePages
{
    private const int Huge = 14, PopulateForWriting = 23;   // MADV_HUGEPAGE, MADV_POPULATE_WRITE
    private const long PageSize = 4096, HugeSize = 2 << 20;

    /// <summary>
    /// Announces to the system that <paramref name="length"/> bytes from <paramref name="start"/> on will be
    /// written.
    /// </summary>
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
