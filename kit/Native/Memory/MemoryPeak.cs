namespace ResearchKit.Native;

/// <summary>Lets Linux begin a process's peak of resident memory anew.</summary>
internal static class MemoryPeak
{
    private const string Forget = "/proc/self/clear_refs", PeakAlone = "5";   // man 5 proc

    /// <summary>Begins the peak at what is resident once everything that is free was given back.</summary>
    /// <returns>What is resident, in bytes; null where the system cannot do it.</returns>
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
