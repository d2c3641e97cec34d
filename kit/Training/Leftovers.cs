namespace ResearchKit.Training;

/// <summary>The small objects on native memory that a step leaves to the garbage collector.</summary>
/// <remarks>
/// They are so few that it would come for them after hundreds of steps. Until then each keeps the native heap from joining the large
/// pieces on both sides of it, which costs tens of megabytes. They are freed before the next step begins, so that steps find the heap alike.
/// </remarks>
internal static class Leftovers
{
    private const long Pause = 200;   // milliseconds; a collection of the youngest takes less than one
    private static long next;

    /// <summary>Collects the youngest objects, at most five times a second.</summary>
    public static void CollectNowAndThen()
    {
        var now = Environment.TickCount64;
        if (now < next) return;
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
        next = now + Pause;
    }
}
