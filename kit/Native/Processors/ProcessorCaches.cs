using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>
/// Bytes of data cache that one core has to itself, or its share of a cache that cores have in common; 0 for none or unknown.
/// </summary>
internal readonly record struct CacheSizes(int Level1, int Level2, int Level3);

/// <summary>The sizes of the processor's data caches, by CPUID.</summary>
/// <remarks>
/// Some virtual machines hide the leaves that describe each cache (4 on Intel's processors, 0x8000001D on AMD's). AMD's older
/// leaves, 0x80000005 and 0x80000006, still give the first two levels there.
/// </remarks>
internal static class ProcessorCaches
{
    /// <summary><c>RESEARCHKIT_CACHES=hidden</c> treats this processor as one that hides its caches, for tests.</summary>
    public const string Variable = "RESEARCHKIT_CACHES";

    /// <summary>The one word that the variable may say.</summary>
    public const string Hidden = "hidden";

    private const int IntelLeaf = 4, AmdLeaf = unchecked((int)0x8000001D), FirstLevelLeaf = unchecked((int)0x80000005),
        SecondLevelLeaf = unchecked((int)0x80000006);

    /// <summary>What most processors of the last ten years have at least.</summary>
    private static readonly CacheSizes Usual = new(32 << 10, 512 << 10, 1 << 20);

    /// <summary>Whether the caches are to be treated as hidden.</summary>
    public static bool HiddenOnPurpose => EnvironmentSwitch.Value(Variable) == Hidden;

    /// <summary>
    /// The sizes, as CPUID describes each cache; null where the processor hides them. On processors that are not x64 all are 0.
    /// </summary>
    public static CacheSizes? Seen { get; } = !X86Base.IsSupported ? default(CacheSizes) : HiddenOnPurpose ? null
        : Described(IntelLeaf) ?? Described(AmdLeaf);

    /// <summary>The sizes as well as they are known: by the older leaves, or the usual ones.</summary>
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
            if (type == 2 || level > 3) continue;   // of instructions
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
