using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Shares one native object (<c>Scalar</c>) for each small number, as runtimes do for small integers, instead
/// of creating a new one each time.
/// </summary>
/// <remarks>
/// TorchSharp's <c>x + y</c> creates a 1 that multiplies y, and <c>x * 0.5</c> creates a 0.5; both are left to
/// the garbage collector. Until they are collected they fragment the native heap, so that memory grows and
/// steps find the heap in different states. Small numbers are the multiples of 1/16 from −32 to 32. Shared
/// objects are never freed.
/// </remarks>
internal static unsafe class ScalarCache
{
    private const int Largest = 32, Parts = 16, Middle = Largest * Parts;

    private static readonly ConcurrentDictionary<nint, double> Shared = new();
    private static readonly nint[] Ints = Table(), Longs = Table(), Floats = Table(), Doubles = Table();
    private static delegate* unmanaged<int, nint> ofInt;
    private static delegate* unmanaged<long, nint> ofLong;
    private static delegate* unmanaged<float, nint> ofFloat;
    private static delegate* unmanaged<double, nint> ofDouble;

    /// <summary>Whether small numbers are shared in this process.</summary>
    public static bool IsUsed => ofDouble is not null;

    /// <summary>
    /// Replaces the library's functions that create numbers. Must be called before the first tensor is created.
    /// </summary>
    /// <param name="library">Handle of TorchSharp's native library.</param>
    public static void Keep(nint library)
    {
        ofInt = (delegate* unmanaged<int, nint>)ExportedFunction.Replace(library, "THSTorch_int32_to_scalar",
            (nint)(delegate* unmanaged<int, nint>)&OfInt);
        ofLong = (delegate* unmanaged<long, nint>)ExportedFunction.Replace(library, "THSTorch_int64_to_scalar",
            (nint)(delegate* unmanaged<long, nint>)&OfLong);
        ofFloat = (delegate* unmanaged<float, nint>)ExportedFunction.Replace(library, "THSTorch_float32_to_scalar",
            (nint)(delegate* unmanaged<float, nint>)&OfFloat);
        ofDouble = (delegate* unmanaged<double, nint>)ExportedFunction.Replace(library, "THSTorch_float64_to_scalar",
            (nint)(delegate* unmanaged<double, nint>)&OfDouble);
    }

    /// <summary>Whether a Scalar is shared and so must not be freed.</summary>
    public static bool Contains(nint scalar) => Shared.ContainsKey(scalar);

    [UnmanagedCallersOnly]
    private static nint OfInt(int value) => Find(Ints, value, out var place) is var one and not 0 ? one
        : Share(Ints, place, ofInt(value), value);

    [UnmanagedCallersOnly]
    private static nint OfLong(long value) => Find(Longs, value, out var place) is var one and not 0 ? one
        : Share(Longs, place, ofLong(value), value);

    [UnmanagedCallersOnly]
    private static nint OfFloat(float value) => Find(Floats, value, out var place) is var one and not 0 ? one
        : Share(Floats, place, ofFloat(value), value);

    [UnmanagedCallersOnly]
    private static nint OfDouble(double value) => Find(Doubles, value, out var place) is var one and not 0 ? one
        : Share(Doubles, place, ofDouble(value), value);

    private static nint[] Table() => new nint[(2 * Middle) + 1];

    /// <summary>
    /// Returns the shared object, or 0 if there is none yet; <paramref name="place"/> is its index in the table, or
    /// -1 for a number that is not small.
    /// </summary>
    private static nint Find(nint[] table, double value, out int place)
    {
        var parts = value * Parts;
        var isSmall = Math.Abs(parts) <= Middle && parts == Math.Truncate(parts) && !(parts == 0 && double.IsNegative(parts));
        place = isSmall ? (int)parts + Middle : -1;
        return isSmall ? Volatile.Read(ref table[place]) : 0;
    }

    private static nint Share(nint[] table, int place, nint scalar, double value)
    {
        if (place < 0) return scalar;
        Shared[scalar] = value;   // before another thread can find it and dispose of it
        if (Interlocked.CompareExchange(ref table[place], scalar, 0) != 0) Shared.TryRemove(scalar, out _);
        return scalar;
    }
}
