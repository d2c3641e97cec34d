using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Keeps TorchSharp's numbers (<c>Scalar</c>) alive for a while after the garbage collector has done with them.
/// </summary>
/// <remarks>
/// <c>x.add(0.5)</c> makes a Scalar, hands its address to native code and holds it no longer: a collection in that moment frees
/// it before it is read, and the call fails (<c>Scalar.h: INTERNAL ASSERT FAILED</c>) or computes with another number. So the
/// function that frees one is replaced by a queue to it: what the collector frees waits there for a second or two. Not longer,
/// and not what is disposed of by hand, since small pieces that stay behind keep the native heap from joining the large ones
/// between them. Small numbers are not freed at all (<see cref="ScalarCache"/>). Done on Linux with glibc; elsewhere everything
/// stays as it was.
/// </remarks>
internal static unsafe class DeferredScalarFree
{
    /// <summary>
    /// Milliseconds; between a call and the reading of its numbers lie microseconds, on a machine that has time for it.
    /// </summary>
    private const int Wait = 1000;

    private static readonly ConcurrentQueue<nint> Queue = new();
    private static readonly Timer Clock = new(_ => FreeOldest());
    private static delegate* unmanaged<nint, void> free;
    private static int collector;       // the thread that finalizes, once it is known
    private static int ticking, old;   // whether the clock is set; how many waited at its last tick

    /// <summary>Whether numbers are kept.</summary>
    public static bool Kept => free is not null;

    /// <summary>Puts the queue before the library's own function; call it before the first tensor.</summary>
    /// <param name="library">TorchSharp's native library, as the loader gave it.</param>
    public static void Keep(nint library)
    {
        if (Kept || Workarounds.IsOff(Workarounds.ScalarFree)) return;
        _ = new Witness();
        free = (delegate* unmanaged<nint, void>)ExportedFunction.Replace(library, "THSTorch_dispose_scalar",
            (nint)(delegate* unmanaged<nint, void>)&Defer);
        if (Kept && !Workarounds.IsOff(Workarounds.SharedScalars)) ScalarCache.Keep(library);
    }

    [UnmanagedCallersOnly]
    private static void Defer(nint scalar)
    {
        if (ScalarCache.Contains(scalar)) return;
        if (collector != 0 && collector != Environment.CurrentManagedThreadId)
        {
            free(scalar);
            return;
        }
        Queue.Enqueue(scalar);
        if (Interlocked.Exchange(ref ticking, 1) == 0) Clock.Change(Wait, Timeout.Infinite);
    }

    private static void FreeOldest()
    {
        for (; old > 0 && Queue.TryDequeue(out var scalar); old--) free(scalar);
        old = Queue.Count;
        if (old == 0) Volatile.Write(ref ticking, 0);
        if (!Queue.IsEmpty && (old > 0 || Interlocked.Exchange(ref ticking, 1) == 0)) Clock.Change(Wait, Timeout.Infinite);
    }

    /// <summary>Notes who collects it.</summary>
    private sealed class Witness
    {
        ~Witness() => collector = Environment.CurrentManagedThreadId;
    }
}
