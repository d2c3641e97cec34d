using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Numbers at an address that does not change, as long as this object lives.</summary>
/// <param name="count">How many; at first zero.</param>
internal sealed unsafe class FixedArray<T>(int count) where T : unmanaged
{
    private readonly T[] numbers = GC.AllocateArray<T>(Math.Max(1, count), pinned: true);

    /// <summary>How many.</summary>
    public int Count => numbers.Length;

    /// <summary>The address of the first.</summary>
    public T* At => (T*)Marshal.UnsafeAddrOfPinnedArrayElement(numbers, 0);
}
