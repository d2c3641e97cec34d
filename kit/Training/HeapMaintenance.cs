using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>
/// Keeps memory freed by a training step for the next step, and keeps resident memory constant all the same.
/// </summary>
/// <remarks>
/// Each step leaves a few kilobytes of small native objects to the garbage collector: the nodes of autograd
/// functions written in C#. Until they are finalized, they fragment the native heap, so that memory grows until
/// the next generation-0 collection, which the runtime would start only after hundreds of steps. This class
/// starts one whenever the run has allocated a fixed number of managed bytes: collections then happen at the
/// same steps in every run, and the cost is proportional to the allocations. Memory is returned to the system
/// when the run ends, and after an evaluation that needed far more memory than a step.
/// </remarks>
internal sealed class HeapMaintenance : IDisposable
{
    /// <summary>
    /// Managed bytes between generation-0 collections; a step of a GPT allocates about a twentieth of it.
    /// </summary>
    private const long CollectAfter = 2 << 20;

    /// <summary>
    /// An evaluation needed far more memory than a step if resident memory grew by more than this and by more than
    /// this share.
    /// </summary>
    private const long LeastSurplus = 64 << 20;
    private const double SurplusShare = 0.25;

    private readonly IDisposable kept = MallocTuning.Keep();
    private long allocated = GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Number of collections so far.</summary>
    public int Collections { get; private set; }

    /// <summary>Collects garbage if it is due; called before each step.</summary>
    public void StepBegins()
    {
        var now = GC.GetAllocatedBytesForCurrentThread();
        if (now - allocated is >= 0 and < CollectAfter) return;   // negative if the caller has changed threads
        allocated = now;
        Collections++;
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Runs an evaluation and returns memory to the system if it needed far more than the steps.</summary>
    public static T Evaluate<T>(Func<T> evaluation)
    {
        var before = Environment.WorkingSet;
        var result = evaluation();
        if (NeededFarMore(before, Environment.WorkingSet)) MallocTuning.Return();
        return result;
    }

    /// <param name="before">Resident memory before the evaluation, in bytes.</param>
    /// <param name="after">Resident memory after it, in bytes, including memory that the evaluation freed.</param>
    internal static bool NeededFarMore(long before, long after) => after - before > Math.Max(LeastSurplus, SurplusShare * before);

    /// <summary>Returns all free memory to the system.</summary>
    public void Dispose() => kept.Dispose();
}
