using System.Runtime.InteropServices;

namespace ResearchKit.Distributed;

/// <summary>Divides the processors of a machine among the processes that run on it.</summary>
internal static unsafe partial class ProcessorShare
{
    private const int MostProcessors = 1024;

    /// <summary>
    /// Returns 1 for each processor that this process may run on, else 0. Launchers may bind a process to a few of
    /// them.
    /// </summary>
    public static long[] Mine()
    {
        var mine = new long[MostProcessors];
        var mask = stackalloc ulong[MostProcessors / 64];
        if (!OperatingSystem.IsLinux() || Affinity(0, MostProcessors / 8, mask) < 0)
        {
            Array.Fill(mine, 1, 0, Math.Min(MostProcessors, Environment.ProcessorCount));
            return mine;
        }
        for (var i = 0; i < MostProcessors; i++) mine[i] = (long)(mask[i / 64] >> (i % 64)) & 1;
        return mine;
    }

    /// <summary>
    /// Computes the number of threads of a process. Each processor that it may run on counts as 1 / (number of
    /// processes that may run on it).
    /// </summary>
    /// <param name="mine"><see cref="Mine"/>.</param>
    /// <param name="users">Number of processes that may run on each processor: the sum of <see cref="Mine"/> over
    /// all.</param>
    /// <param name="usable">Number of processors that this process may use at a time; less than it may run on where
    /// its CPU time is limited.</param>
    public static int Threads(ReadOnlySpan<long> mine, ReadOnlySpan<long> users, int usable)
    {
        var share = 0.0;
        var own = 0L;
        for (var i = 0; i < mine.Length; i++)
        {
            if (mine[i] == 0) continue;
            own++;
            share += 1.0 / users[i];
        }
        return own == 0 ? 1 : Math.Max(1, (int)(share * Math.Min(1, usable / (double)own) + 1e-6));
    }

    [LibraryImport("libc.so.6", EntryPoint = "sched_getaffinity")]
    private static partial int Affinity(int process, nint bytes, ulong* mask);
}
