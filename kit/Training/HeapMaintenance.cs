using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>Lets each step of a run find the native heap as the one before did.</summary>
/// <remarks>
/// What a step frees is kept for the next. The small objects that it leaves to the garbage collector are so few that it would come for
/// them after hundreds of steps; until then each keeps the heap from joining the large pieces on both sides of it. And what the heap once
/// needed, for an evaluation or because pieces lay badly, goes back to the system after some seconds: it would only ever grow.
/// </remarks>
internal sealed class HeapMaintenance : IDisposable
{
    /// <summary>Milliseconds; a collection of the youngest objects takes less than one, to get memory anew as long as to write to it.</summary>
    private const long CollectEvery = 200, ReturnEvery = 10_000;

    private readonly IDisposable kept = MallocTuning.Keep();
    private long nextCollection = Environment.TickCount64 + CollectEvery, nextReturn = Environment.TickCount64 + ReturnEvery;

    /// <summary>To be called before each step, so that what a step leaves is read as what the run needs.</summary>
    public void StepBegins()
    {
        var now = Environment.TickCount64;
        if (now < nextCollection) return;
        nextCollection = now + CollectEvery;
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
        if (now < nextReturn) return;
        nextReturn = now + ReturnEvery;
        MallocTuning.Return();
    }

    /// <summary>Gives all that is free back to the system.</summary>
    public void Dispose() => kept.Dispose();
}
