namespace ResearchKit.Native;

/// <summary>Resets the peak resident memory of a process on Linux.</summary>
internal static class MemoryPeak
{
    private const string Forget = "/proc/self/clear_refs", PeakAlone = "5";   // man 5 proc

    /// <summary>Returns free memory to the system and resets the peak to the resident memory.</summary>
    /// <returns>Resident memory in bytes; null where the system cannot reset the peak.</returns>
    public static long? Reset()
    {
        if (!OperatingSystem.IsLinux()) return null;
        GC.Collect();
        MallocTuning.Return();
        try
        {
            File.WriteAllText(Forget, PeakAlone);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        return Environment.WorkingSet;
    }
}
