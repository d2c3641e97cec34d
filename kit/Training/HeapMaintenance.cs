using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>Keeps what the steps of a run free for the next step, and keeps resident memory flat all the same.</summary>
/// <remarks>
/// A step leaves some small native objects to the garbage collector: the nodes of autograd functions written in C#, some
/// kilobytes a step. While they wait, they keep the free pieces of the heap around them from joining, so that memory grows until
/// a collection of the youngest objects, which the runtime makes after hundreds of steps. Here it is made once a run has
/// allocated a fixed number of managed bytes: the same steps collect at the same places, and it costs no more than the
/// allocations themselves. Memory goes back to the system when the run ends, and after an evaluation that needed far more than a
/// step.
/// </remarks>
internal sealed class HeapMaintenance : IDisposable
{
    /// <summary>
    /// Managed bytes after which the youngest objects are collected; a step of a GPT allocates about a twentieth of it.
    /// </summary>
    private const long CollectAfter = 2 << 20;

    /// <summary>
    /// An evaluation needed far more than a step if it left this many bytes, and this share of what the steps held.
    /// </summary>
    private const long LeastSurplus = 64 << 20;
    private const double SurplusShare = 0.25;

    private readonly IDisposable kept = MallocTuning.Keep();
    private long allocated = GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Collections so far.</summary>
    public int Collections { get; private set; }

    /// <summary>To be called before each step.</summary>
    public void StepBegins()
    {
        var now = GC.GetAllocatedBytesForCurrentThread();
        if (now - allocated is >= 0 and < CollectAfter) return;   // negative where the caller has changed threads
        allocated = now;
        Collections++;
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Runs an evaluation, and gives memory back if it needed far more than the steps.</summary>
    public static T Evaluate<T>(Func<T> evaluation)
    {
        var before = Environment.WorkingSet;
        var result = evaluation();
        if (NeededFarMore(before, Environment.WorkingSet)) MallocTuning.Return();
        return result;
    }

    /// <param name="before">Resident bytes before.</param>
    /// <param name="after">Resident bytes afterwards; what the evaluation freed is among them.</param>
    internal static bool NeededFarMore(long before, long after) => after - before > Math.Max(LeastSurplus, SurplusShare * before);

    /// <summary>Gives all that is free back to the system.</summary>
    public void Dispose() => kept.Dispose();
}
