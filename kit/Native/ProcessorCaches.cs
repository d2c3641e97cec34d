using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>Whether the processor says how large its caches are.</summary>
/// <remarks>
/// Some virtual machines hide it. oneDNN, which libtorch convolves with on x64, plans its work by these sizes; without them (seen
/// with oneDNN 3.7.1 on an AVX-512 processor) some of its convolutions give wrong numbers and some divide by zero, which ends the
/// process.
/// </remarks>
internal static class ProcessorCaches
{
    private const int IntelLeaf = 4;
    private const int AmdLeaf = unchecked((int)0x8000001D);

    /// <summary>True where the sizes are known, and on processors that are not x64.</summary>
    public static bool AreKnown { get; } = !X86Base.IsSupported || Lists(IntelLeaf) || Lists(AmdLeaf);

    /// <summary>Whether the leaf's first entry is a cache: its lowest five bits say of which type.</summary>
    private static bool Lists(int leaf)
    {
        var highest = X86Base.CpuId(leaf & unchecked((int)0x80000000), 0).Eax;
        return (uint)highest >= (uint)leaf && (X86Base.CpuId(leaf, 0).Eax & 0x1F) != 0;
    }
}
