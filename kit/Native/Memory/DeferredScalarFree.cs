using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Delays the freeing of TorchSharp's native numbers (<c>Scalar</c>) after their garbage collection.
/// </summary>
/// <remarks>
/// <c>x.add(0.5)</c> creates a Scalar and passes its address to native code without keeping a reference. If a
/// garbage collection happens at that moment, the Scalar is freed before it is read, and the call fails
/// (<c>Scalar.h: INTERNAL ASSERT FAILED</c>) or computes with another number. Therefore the function that frees
/// Scalars is replaced by a queue: a Scalar that the finalizer frees waits there for a second or two. It does
/// not wait longer, and a Scalar that is disposed explicitly does not wait, because small blocks that stay
/// allocated fragment the native heap. Small numbers are not freed at all (<see cref="ScalarCache"/>). Works on
/// Linux with glibc; elsewhere nothing is changed.
/// </remarks>
internal static unsafe class DeferredScalarFree
{
    /// <summary>
    /// Delay in milliseconds. Native code normally reads the numbers of a call within microseconds.
    /// </summary>
    private const int Wait = 1000;

    private static readonly ConcurrentQueue<nint> Queue = new();
    private static readonly Timer Clock = new(_ => FreeOldest());
    private static delegate* unmanaged<nint, void> free;
    private static int collector;       // id of the finalizer thread, once it is known
    // Whether the timer is set, and how many Scalars waited at its last tick.
    private static int ticking, old;

    /// <summary>Whether the freeing is delayed in this process.</summary>
    public static bool Kept => free is not null;

    /// <summary>
    /// Replaces the library's own function by the queue. Must be called before the first tensor is created.
    /// </summary>
    /// <param name="library">Handle of TorchSharp's native library.</param>
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

    /// <summary>Records the id of the finalizer thread when it is collected.</summary>
    private sealed class Witness
    {
        ~Witness() => collector = Environment.CurrentManagedThreadId;
    }
}
