using System.Diagnostics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Times kernels in alternation and keeps the fastest call of each.</summary>
/// <remarks>
/// Other programs on the machine can only make a call slower. A call during which Linux preempted a thread is
/// not counted. A time is valid once the two fastest calls differ by at most 10 %. If they never do, the
/// machine is too busy.
/// </remarks>
internal static unsafe partial class SteadyTime
{
    private const int LeastRounds = 3, MostRounds = 24;
    private const int LongsOfUsage = 18, Preemptions = 17;   // struct rusage of Linux on 64 bits; ru_nivcsw
    private const double Agreement = 1.1;

    /// <summary>Times the kernels.</summary>
    /// <param name="kernels">The kernels, called in alternation; each must have been called before.</param>
    /// <returns>Seconds of each kernel; null if the machine is too busy.</returns>
    public static double[]? Of(params IReadOnlyList<Func<Tensor>> kernels)
    {
        var fastest = kernels.Select(_ => (First: double.PositiveInfinity, Second: double.PositiveInfinity)).ToArray();
        for (var round = 1; round <= MostRounds; round++)
        {
            for (var i = 0; i < kernels.Count; i++)
            {
                var (first, second) = fastest[i];
                var seconds = Seconds(kernels[i]);
                fastest[i] = seconds < first ? (seconds, first) : (first, Math.Min(second, seconds));
            }
            if (round >= LeastRounds && fastest.All(pair => double.IsFinite(pair.Second)
                && pair.Second <= pair.First * Agreement)) return [.. fastest.Select(pair => pair.First)];
        }
        return null;
    }

    private static double Seconds(Func<Tensor> kernel)
    {
        using var scope = NewDisposeScope();   // frees intermediate tensors of the kernel
        var start = Stopwatch.GetTimestamp();
        var preemptions = CountPreemptions();
        kernel();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return CountPreemptions() == preemptions ? seconds : double.PositiveInfinity;
    }

    /// <summary>
    /// Returns how often the system has preempted a thread of this process; 0 where that is unknown.
    /// </summary>
    private static long CountPreemptions()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        var usage = stackalloc long[LongsOfUsage];
        return getrusage(0, usage) == 0 ? usage[Preemptions] : 0;
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);
}
