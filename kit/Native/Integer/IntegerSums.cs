using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>Steps that products of one row and of many rows share.</summary>
internal static unsafe class IntegerSums
{
    /// <summary>Whether this processor can compute these products.</summary>
    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    /// <summary>Adds the products of 16 pairs of whole numbers to 8 sums, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<short> weights, Vector256<short> x) =>
        AvxVnni.IsSupported ? AvxVnni.MultiplyWideningAndAdd(sums, weights, x)
        : Avx2.Add(sums, Avx2.MultiplyAddAdjacent(weights, x));

    /// <summary>Writes sums with the bias.</summary>
    public static void Store(float* sums, float* y, float* bias, int count)
    {
        for (var i = 0; i < count; i++) y[i] = bias is null ? sums[i] : sums[i] + bias[i];
    }
}
