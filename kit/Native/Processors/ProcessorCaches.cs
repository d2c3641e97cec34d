using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>
/// Data cache sizes in bytes for one core: its own cache, or its share of a cache that several cores use; 0 for
/// none or unknown.
/// </summary>
internal readonly record struct CacheSizes(int Level1, int Level2, int Level3);

/// <summary>Data cache sizes of the processor, as reported by CPUID.</summary>
/// <remarks>
/// Some virtual machines hide the CPUID leaves that describe each cache (4 on Intel processors, 0x8000001D on
/// AMD's). AMD's older leaves, 0x80000005 and 0x80000006, still report the first two levels there.
/// </remarks>
internal static class ProcessorCaches
{
    /// <summary>
    /// Name of an environment variable for tests: <c>RESEARCHKIT_CACHES=hidden</c> treats the caches as hidden.
    /// </summary>
    public const string Variable = "RESEARCHKIT_CACHES";

    /// <summary>The only value that the variable accepts.</summary>
    public const string Hidden = "hidden";

    private const int IntelLeaf = 4, AmdLeaf = unchecked((int)0x8000001D), FirstLevelLeaf = unchecked((int)0x80000005),
        SecondLevelLeaf = unchecked((int)0x80000006);

    /// <summary>Sizes that most processors of the last ten years have at least.</summary>
    private static readonly CacheSizes Usual = new(32 << 10, 512 << 10, 1 << 20);

    /// <summary>Whether the caches are to be treated as hidden.</summary>
    public static bool HiddenOnPurpose => EnvironmentSwitch.Value(Variable) == Hidden;

    /// <summary>
    /// Cache sizes as CPUID describes them; null where the processor hides them. All are 0 on processors that are
    /// not x64.
    /// </summary>
    public static CacheSizes? Seen { get; } = !X86Base.IsSupported ? default(CacheSizes) : HiddenOnPurpose ? null
        : Described(IntelLeaf) ?? Described(AmdLeaf);

    /// <summary>
    /// The best estimate of the cache sizes: from CPUID, else from the older leaves, else the usual ones.
    /// </summary>
    public static CacheSizes BestKnown => Seen ?? OlderLeaves() ?? Usual;

    private static CacheSizes? Described(int leaf)
    {
        if (!Has(leaf)) return null;
        var sizes = new int[4];
        var found = false;
        for (var entry = 0; entry < 16; entry++)
        {
            var (a, b, c, _) = X86Base.CpuId(leaf, entry);
            var type = a & 31;
            var level = (a >> 5) & 7;
            if (type == 0) break;
            if (type == 2 || level > 3) continue;   // an instruction cache
            found = true;
            var bytes = ((b >>> 22) + 1L) * (((b >> 12) & 1023) + 1) * ((b & 4095) + 1) * ((uint)c + 1L);
            sizes[level] = (int)Math.Min(int.MaxValue, bytes / Math.Min(((a >> 14) & 4095) + 1, Environment.ProcessorCount));
        }
        return found ? new CacheSizes(sizes[1], sizes[2], sizes[3]) : null;
    }

    private static CacheSizes? OlderLeaves()
    {
        if (!Has(SecondLevelLeaf)) return null;
        var first = (int)((uint)X86Base.CpuId(FirstLevelLeaf, 0).Ecx >> 24) << 10;
        var second = (int)((uint)X86Base.CpuId(SecondLevelLeaf, 0).Ecx >> 16) << 10;
        return first > 0 && second > 0 ? new CacheSizes(first, second, Usual.Level3) : null;
    }

    private static bool Has(int leaf) => (uint)X86Base.CpuId(leaf & unchecked((int)0x80000000), 0).Eax >= (uint)leaf;
}
